"""Goes through the points of all curves and prints what each has cost, a line of JSON for each; scripts/bench calls it.

    AMQP_URL=… AWS_ENDPOINT_URL=… rounds.py PROGRAM MANY ROUNDS SHARE

MANY is the program of the crate in many/. What is measured in the process's own memory is measured ROUNDS times, the points in
turns; what goes through a broker once, with SHARE (of a hundred) of its messages.
"""

import json
import os
import subprocess
import sys
import time

PROGRAM, MANY = sys.argv[1:3]
ROUNDS, SHARE = map(int, sys.argv[3:5])
# A share that is not whole is for seeing that all runs: its curves end early, too.
WHOLE = SHARE == 100
BACKLOGS = (1_000, 10_000, 100_000, 1_000_000) if WHOLE else (1_000, 10_000)
SUBSCRIPTIONS = (1, 10, 100, 1_000) if WHOLE else (1, 10)
# Each has a queue, one for its dead letters and several for its retries.
SUBSCRIPTIONS_ON_RABBITMQ = (1, 10, 100) if WHOLE else (1, 3)
EVENTS = (10, 100, 1_000)
REPLICAS = (1, 2, 3, 4, 6, 8) if WHOLE else (1, 2)
# How many messages of a backlog are handled on RabbitMQ, if it has as many.
FIRST = 20_000
# Deliveries, or messages, that are timed at each number of subscriptions and events.
DELIVERIES, MESSAGES = (20_000, 5_000) if WHOLE else (2_000, 1_000)
# For how long replicas are to be busy, and what one may do in a second, by transport and milliseconds that a handler takes.
SECONDS = 2.5
PACES = {("rabbitmq", 0): 25_000, ("rabbitmq", 10): 950, ("aws", 0): 2_500, ("aws", 100): 98}


def told(*words, program=PROGRAM):
    command = [str(word) for word in (program, *words)]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=300).stdout
    return json.loads(said) if said else None


def tell(**line):
    print(json.dumps(line), flush=True)


def note(text):
    print(f"   {text}", file=sys.stderr, flush=True)


def await_waiting(transport, messages):
    # Not often: whoever asks takes from the cores that are measured.
    for _ in range(200):
        waiting = told("waiting", transport)
        if waiting == messages:
            return
        time.sleep(0.4)
    raise SystemExit(f"{waiting} messages wait on {transport}, not {messages}")


def held(number):
    for messages in BACKLOGS:
        tell(curve="backlog", transport="memory", round=number, backlog=messages, **told("held", messages))


def subscribed(number, transport, who, counts, deliveries):
    for count in counts:
        copies = count if who == "all" else 1
        messages = max(1, (deliveries if who == "all" else min(deliveries, MESSAGES)) // copies)
        answer = told("subscribed", transport, who, count, messages)
        tell(curve="subscriptions", transport=transport, who=who, round=number, subscriptions=count, **answer)


def many(number):
    for way in ("apart", "together"):
        for events in EVENTS:
            answer = told(way, events, MESSAGES, program=MANY)
            tell(curve="events", way=way, round=number, events=events, **answer)


def backlog_on_rabbitmq():
    told("declare", "rabbitmq")
    there = 0
    for messages in BACKLOGS:
        publish = told("publish", "rabbitmq", messages - there)
        await_waiting("rabbitmq", messages)
        first = min(FIRST, messages)
        answer = told("begun", first)
        # What was handled beyond the first, and what came back, is there or not.
        time.sleep(0.5)
        there = told("waiting", "rabbitmq")
        tell(curve="backlog", transport="rabbitmq", round=1, backlog=messages, publish=publish, **answer)
    told("declare", "rabbitmq")


class Replica:
    """A service in a process of its own."""

    def __init__(self, transport, takes):
        command = [PROGRAM, "replica", transport, str(takes)]
        self.running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ready(self):
        if self.running.stdout.readline() != "ready\n":
            raise SystemExit("a replica did not start")

    def ticks(self):
        """What it handled, by tenths of a second; it ends."""
        self.running.stdin.close()
        answer = json.loads(self.running.stdout.readline())
        if self.running.wait(60):
            raise SystemExit("a replica did not end well")
        return {int(tick): count for tick, count in answer.items()}


def steady(ticks):
    """Messages a second while all replicas were busy, and what the least busy of them did, of an even share."""
    if not all(ticks):
        return None
    begin, end = max(min(of) for of in ticks) + 1, min(max(of) for of in ticks)
    if end - begin < 5:
        return None
    each = [sum(count for tick, count in of.items() if begin <= tick < end) for of in ticks]
    return {"ticks": end - begin, "messages": sum(each), "least": min(each) * len(each) / sum(each)}


def replicas(transport, takes):
    for count in REPLICAS:
        # Where a handler takes no time, broker and cores are the limit, however many replicas there are.
        pace = PACES[transport, takes] * (count if takes else 1)
        messages = max(200, int(pace * SECONDS * SHARE / 100))
        told("declare", transport)
        told("publish", transport, messages)
        await_waiting(transport, messages)
        running = [Replica(transport, takes) for _ in range(count)]
        for replica in running:
            replica.ready()
        await_waiting(transport, 0)
        time.sleep(takes / 1000 + 0.3)
        ticks = [replica.ticks() for replica in running]
        handled = sum(sum(of.values()) for of in ticks)
        answer = steady(ticks) or {}
        tell(curve="replicas", transport=transport, takes=takes, replicas=count, published=messages, handled=handled, **answer)


for number in range(1, ROUNDS + 1):
    note(f"in memory, round {number} of {ROUNDS}")
    held(number)
    for who in ("all", "one"):
        subscribed(number, "memory", who, SUBSCRIPTIONS, DELIVERIES)
    many(number)
note("a backlog on RabbitMQ")
backlog_on_rabbitmq()
note("subscriptions on RabbitMQ")
for count in SUBSCRIPTIONS_ON_RABBITMQ:
    # The first start makes the queues that fewer subscriptions had not, the second finds all.
    for number in (1, 2):
        subscribed(number, "rabbitmq", "all", (count,), 2_000)
for transport, takes in PACES:
    note(f"replicas on {transport}, whose handler takes {takes} ms")
    replicas(transport, takes)
