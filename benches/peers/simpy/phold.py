"""PHOLD in SimPy: `phold.py IDIOM PENDING EVENTS SEED`.

callbacks: bare timeouts with a callback, the fastest that SimPy can do. processes: a process per job, as its
documentation teaches. One generator for all, since one of Python's own per process would be slower; times in ms.
"""

import math
import random
import sys

import simpy
from report import Loop, report


def callbacks(env, population):
    log, uniform, timeout = math.log, random.random, env.timeout
    visits = [0] * population

    def visit(event):
        visits[event.value] += 1
        timeout(-log(1.0 - uniform()), int(uniform() * population)).callbacks.append(visit)

    for process in range(population):
        timeout(-log(1.0 - uniform()), process).callbacks.append(visit)
    return visits


def processes(env, population):
    log, uniform, timeout = math.log, random.random, env.timeout
    visits = [0] * population

    def job(process):
        while True:
            yield timeout(-log(1.0 - uniform()))
            visits[process] += 1
            process = int(uniform() * population)

    for process in range(population):
        env.process(job(process))
    return visits


def main():
    idiom, population, events, seed = sys.argv[1], *map(int, sys.argv[2:])
    random.seed(seed)
    env = simpy.Environment()
    visits = {"callbacks": callbacks, "processes": processes}[idiom](env, population)
    with Loop() as loop:
        # Each job is visited once a millisecond on average.
        env.run(until=events / population)
    report(loop, events=sum(visits), completions=sum(visits))


main()
