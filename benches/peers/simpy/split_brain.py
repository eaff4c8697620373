"""The split-brain chain in SimPy, of the same fidelity as scenarios/split-brain.yaml and without any checker:
`split_brain.py SECONDS SEED`.

Customers arrive at random, 200 a second. The gateway does its own work and calls checkout, checkout does its work and
calls billing; answers go back the same way. A replica has workers that are held while it calls, and a bounded queue.
Every hop crosses the network both ways; every call has a timeout. Each replica polls the policy at a phase of its own
and decides each request by what it holds. The numbers are the scenario's, defaults included; times in seconds.
"""

import math
import random
import sys

import simpy
from report import Loop, report

ARRIVALS = 200.0
POLL = 30.0
PUBLISHED = 120.0
WORKERS, QUEUE = 200, 100
TIMEOUT = 1.0
USERS = 10_000
DRAIN = 30.0
Z99 = 2.3263478740408408


def lognormal(p50, p99):
    return math.log(p50), math.log(p99 / p50) / Z99


WITHIN = lognormal(250e-6, 1e-3)
TAKES = lognormal(4.3e-3, 13.8e-3)
SERVICES = [("gateway", 3), ("checkout", 4), ("billing", 4)]


def sample(law):
    return random.lognormvariate(*law)


class Estate:
    def __init__(self, env):
        self.env = env
        self.version = 1
        self.services = [[Replica(env, self) for _ in range(replicas)] for _, replicas in SERVICES]
        self.arrived = self.finished = self.failed = self.split = self.moves = 0


class Replica:
    """Workers, a queue, and a cache of the policy that polls."""

    def __init__(self, env, estate):
        self.workers = simpy.Resource(env, capacity=WORKERS)
        self.held = 1
        env.process(self.poll(env, estate))

    def poll(self, env, estate):
        yield env.timeout(random.random() * POLL)
        while True:
            next_poll = env.now + POLL
            yield env.timeout(sample(WITHIN))
            read = estate.version
            yield env.timeout(sample(WITHIN))
            self.held = read
            yield env.timeout(next_poll - env.now)


class Request:
    def __init__(self, arrived):
        self.arrived = arrived
        self.user = random.randrange(USERS)
        self.stages = [None] * len(SERVICES)


def serve(env, estate, depth, request):
    """One request at one service: there, the work, the call to the next service, and back."""
    replica = random.choice(estate.services[depth])
    yield env.timeout(sample(WITHIN))
    estate.moves += 1
    if len(replica.workers.queue) >= QUEUE:
        succeeded = False
    else:
        with replica.workers.request() as worker:
            yield worker
            request.stages[depth] = "on" if replica.held > 1 else "off"
            yield env.timeout(sample(TAKES))
            estate.moves += 1
            succeeded = True
            if depth + 1 < len(SERVICES):
                answer = env.process(serve(env, estate, depth + 1, request))
                deadline = env.timeout(TIMEOUT)
                yield answer | deadline
                succeeded = answer.triggered and answer.value
    yield env.timeout(sample(WITHIN))
    estate.moves += 1
    return succeeded


def customer(env, estate):
    request = Request(env.now)
    succeeded = yield from serve(env, estate, 0, request)
    estate.finished += succeeded
    estate.failed += not succeeded
    made = {stage for stage in request.stages if stage is not None}
    estate.split += len(made) > 1


def customers(env, estate, until):
    while True:
        yield env.timeout(random.expovariate(ARRIVALS))
        if env.now >= until:
            return
        estate.arrived += 1
        estate.moves += 1
        env.process(customer(env, estate))


def publish(env, estate):
    yield env.timeout(PUBLISHED)
    estate.version = 2


def main():
    seconds, seed = map(int, sys.argv[1:])
    random.seed(seed)
    env = simpy.Environment()
    estate = Estate(env)
    env.process(customers(env, estate, seconds))
    env.process(publish(env, estate))
    with Loop() as loop:
        env.run(until=seconds + DRAIN)
    report(loop, events=estate.moves, completions=estate.finished, split=estate.split)


main()
