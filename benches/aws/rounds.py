"""Has the sides take turns on an emulator of SNS and SQS and prints what each turn cost, a line of JSON for each;
scripts/bench calls it.

    AWS_ENDPOINT_URL=… rounds.py PROGRAM TOMODACHI ROUNDS MESSAGES SECONDS
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import time

PROGRAM, TOMODACHI = sys.argv[1:3]
ROUNDS, MESSAGES, SECONDS = map(int, sys.argv[3:6])
URL = os.environ["AWS_ENDPOINT_URL"]
PEER = pathlib.Path(__file__).with_name("peer.py")
SIDES = ("tegami", "raw", "tomodachi")
# Whose calls are counted, and with which part of the messages: one by one is slow.
COUNTED = {"tegami": 1, "tomodachi": 4, "raw-1": 4}
# tomodachi publishes one by one, too.
FEWER = 4
PACE = 100
LIMIT = 400


def command(side, way, amount):
    """What runs a side, and with which environment."""
    if side == "tomodachi":
        return [TOMODACHI, "run", PEER.name, "--production"], {"MODE": way, "AMOUNT": str(amount)}
    quiet = way in ("idle", "trickle")
    return [PROGRAM, way, *([] if quiet else [side]), str(amount)], {}


def started(side, way, amount, url, **options):
    words, settings = command(side, way, amount)
    silent = {"stderr": subprocess.DEVNULL} if side == "tomodachi" else {}
    return subprocess.Popen(words, env=os.environ | settings | {"AWS_ENDPOINT_URL": url}, cwd=PEER.parent, text=True,
                            stdout=subprocess.PIPE, **silent, **options)


def answers(running):
    """What it tells, as it comes; it must end well."""
    for line in running.stdout:
        if line.startswith(("{", '"')):
            yield json.loads(line)
    if running.wait(LIMIT):
        raise SystemExit(f"{running.args} ended with {running.returncode}")


def run(side, way, amount, url=URL):
    return next(iter(list(answers(started(side, way, amount, url)))), None)


def program(*words):
    return subprocess.run([PROGRAM, *words], stdout=subprocess.PIPE, text=True, check=True, timeout=LIMIT).stdout


def await_waiting(side, messages):
    """As many are in the queue; tomodachi has one of its own, which nobody looks into."""
    if side == "tomodachi":
        return
    for _ in range(100):
        waiting = int(program("waiting"))
        if waiting == messages:
            return
        time.sleep(0.1)
    raise SystemExit(f"{waiting} messages are in the queue, not {messages}")


class Counter:
    """A proxy before the emulator, and the calls that went through it."""

    def __enter__(self):
        self.running = subprocess.Popen([PROGRAM, "count"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = json.loads(self.running.stdout.readline())["endpoint"]
        return self

    def calls(self):
        self.running.stdin.write("\n")
        self.running.stdin.flush()
        return collections.Counter(json.loads(self.running.stdout.readline())["calls"])

    def __exit__(self, *_):
        self.running.stdin.close()
        self.running.wait(LIMIT)


def tell(**line):
    print(json.dumps(line), flush=True)


def turn(number, side):
    messages = MESSAGES // FEWER if side == "tomodachi" else MESSAGES
    program("declare")
    for way, left in (("publish", messages), ("consume", 0)):
        tell(round=number, way=way, side=side, **run(side, way, messages))
        await_waiting(side, left)


def latency(number, side):
    program("declare")
    tell(round=number, way="latency", side=side, **run(side, "latency", MESSAGES // 10))


def calls(side, messages):
    """All calls for so many messages, which are published first."""
    program("declare")
    with Counter() as counter:
        for way in ("publish", "consume"):
            run(side, way, messages, counter.url)
        await_waiting(side, 0)
        tell(way="calls", side=side, messages=messages, calls=counter.calls())


def quiet(side, way):
    """The calls of a service that has little to do."""
    program("declare")
    with Counter() as counter:
        marks = [counter.calls() for _ in answers(started(side, way, SECONDS, counter.url))]
        tell(way=way, side=side, seconds=SECONDS, calls=marks[1] - marks[0])


for number in range(1, ROUNDS + 1):
    print(f"   round {number} of {ROUNDS}", file=sys.stderr)
    for place in range(number, number + len(SIDES)):
        turn(number, SIDES[place % len(SIDES)])
    for side in ("tegami", "raw"):
        latency(number, side)
for side, part in COUNTED.items():
    calls(side, MESSAGES // part)
for way in ("idle", "trickle"):
    for side in ("tegami", "tomodachi"):
        quiet(side, way)
