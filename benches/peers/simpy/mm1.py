"""M/M/1 in SimPy, with a process per customer and a resource, as its documentation teaches: `mm1.py CUSTOMERS SEED`.

Utilisation 0.8; times in ms.
"""

import random
import sys

import simpy
from report import Loop, report

BETWEEN_ARRIVALS = 1.25
SERVICE = 1.0


def main():
    customers, seed = map(int, sys.argv[1:])
    random.seed(seed)
    env = simpy.Environment()
    server = simpy.Resource(env, capacity=1)
    counts = {"arrived": 0, "departed": 0, "spent": 0.0}

    def customer():
        came = env.now
        counts["arrived"] += 1
        with server.request() as turn:
            yield turn
            yield env.timeout(random.expovariate(1 / SERVICE))
        counts["departed"] += 1
        counts["spent"] += env.now - came

    def source():
        while True:
            yield env.timeout(random.expovariate(1 / BETWEEN_ARRIVALS))
            env.process(customer())

    env.process(source())
    with Loop() as loop:
        env.run(until=customers * BETWEEN_ARRIVALS)
    report(
        loop,
        events=counts["arrived"] + counts["departed"],
        completions=counts["departed"],
        sojourn_ms=counts["spent"] / counts["departed"],
    )


main()
