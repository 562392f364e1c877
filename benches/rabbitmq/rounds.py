"""Has the sides take turns on a RabbitMQ and prints what each turn cost, a line of JSON for each; scripts/bench calls it.

    AMQP_URL=… rounds.py PROGRAM TOMODACHI ROUNDS MESSAGES
"""

import json
import os
import pathlib
import subprocess
import sys
import time

PROGRAM, TOMODACHI = sys.argv[1:3]
ROUNDS, MESSAGES = map(int, sys.argv[3:5])
URL = os.environ["AMQP_URL"]
# tomodachi cannot read a quorum queue: this is the queue that it declares itself.
TOMODACHIS = URL + "?compat=tomodachi"
KEY = "bench.orders.v1.OrderNoted"
PEER = pathlib.Path(__file__).with_name("peer.py")
# Each publishes what the one of the same turn consumes.
TURNS = [("tegami", "tegami"), ("raw", "raw"), ("transport", "transport"), ("raw-256", "raw-100"), ("tegami-all", None),
         ("ruststream", "ruststream"), ("tomodachi", "tomodachi")]
# tomodachi is slow, and what is only published need not fill a queue: these turns have fewer messages.
FEWER = 5
PACE = 500
CROWD = 10
LIMIT = 128 * 1024 * 1024
GROUP = pathlib.Path("/sys/fs/cgroup/memory/tegami-bench")


def program(*words, url=URL, **options):
    command = [PROGRAM, *map(str, words)]
    said = subprocess.run(command, env=os.environ | {"AMQP_URL": url}, stdout=subprocess.PIPE, text=True, check=True,
                          timeout=400, **options).stdout
    return json.loads(said) if said else None


def peer(way, messages):
    environment = os.environ | {"MODE": way, "MESSAGES": str(messages), "KEY": KEY}
    said = subprocess.run([TOMODACHI, "run", PEER.name, "--production"], cwd=PEER.parent, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True, timeout=400).stdout
    return next(json.loads(line) for line in said.splitlines() if line.startswith("{"))


def run(way, side, messages):
    return peer(way, messages) if side == "tomodachi" else program(way, side, messages)


def await_waiting(messages):
    """The count of a quorum queue comes late."""
    for _ in range(100):
        waiting = program("waiting")
        if waiting == messages:
            return
        time.sleep(0.1)
    raise SystemExit(f"{waiting} messages wait in the queue, not {messages}")


def tell(**line):
    print(json.dumps(line), flush=True)


def turn(number, publisher, consumer):
    messages = MESSAGES // FEWER if publisher == "tomodachi" or not consumer else MESSAGES
    program("declare", url=TOMODACHIS if publisher == "tomodachi" else URL)
    tell(round=number, way="publish", side=publisher, **run("publish", publisher, messages))
    await_waiting(messages)
    if consumer:
        tell(round=number, way="consume", side=consumer, **run("consume", consumer, messages))
        # After the others a few messages were seen to be left; what they have handled is counted all the same.
        if consumer in ("tegami", "transport"):
            await_waiting(0)


def latency(number, side):
    program("declare")
    tell(round=number, way="latency", side=side, **program("latency", side, min(MESSAGES // 20, PACE * 6)))


def grouped():
    """Makes a group of processes that may have so much memory; how one enters it."""
    GROUP.mkdir(exist_ok=True)
    (GROUP / "memory.limit_in_bytes").write_text(str(LIMIT))
    (GROUP / "memory.max_usage_in_bytes").write_text("0")
    return lambda: (GROUP / "cgroup.procs").write_text(str(os.getpid()))


def crowd():
    program("declare")
    messages = 10 * MESSAGES
    program("publish", "raw", messages)
    await_waiting(messages)
    try:
        enter = grouped()
    except OSError as error:
        print(f"   no memory limit can be set here: {error}", file=sys.stderr)
        tell(way="crowd", limit=None, queued=messages, **program("crowd", CROWD))
        return
    try:
        answer = program("crowd", CROWD, preexec_fn=enter)
        used = int((GROUP / "memory.max_usage_in_bytes").read_text())
        tell(way="crowd", limit=LIMIT, used=used, queued=messages, **answer)
    finally:
        GROUP.rmdir()


for number in range(1, ROUNDS + 1):
    print(f"   round {number} of {ROUNDS}", file=sys.stderr)
    for publisher, consumer in TURNS:
        turn(number, publisher, consumer)
    for side in ("tegami", "raw"):
        latency(number, side)
crowd()
program("declare")
