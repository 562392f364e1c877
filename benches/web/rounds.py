"""Has the sides take turns and prints what each turn cost, a line of JSON for each; scripts/bench calls it.

    [AMQP_URL=…] rounds.py PROGRAM TOMODACHI ROUNDS SECONDS

The server has the first core, what asks it the second. In a few rounds everything is measured, in the others only the
speed of the compared sides, for a second each: what else the machine does changes from second to second. Beside bad clients both
have priority over all else that runs, for an answer's time is to be that of the server, and not that of its turn on a core.
"""

import contextlib
import functools
import itertools
import json
import os
import pathlib
import re
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from attacks import Attackers

PROGRAM, TOMODACHI = sys.argv[1:3]
ROUNDS, SECONDS = map(int, sys.argv[3:5])
PEER = pathlib.Path(__file__).with_name("peer.py")
SIDES = {"HTTP/1.1": ("tegami", "axum", "axum-nodelay", "tomodachi"), "HTTP/2": ("tegami", "axum", "axum-nodelay")}
COMPARED = ("tegami", "axum", "axum-nodelay")
BESIDE = ("tegami", "axum-nodelay")
# How many rounds measure everything.
FEW = 5
CLIENTS = 32
# A second, of all clients together, where the time of an answer is taken.
PACE = 1000
# How long a service is left alone before one looks at its memory.
REST = 5
SLOW = 100
# Somebody else may take a port between its choice and the server's start.
STARTS = 5
# Before all other programs, where the system allows it.
FIRST = ("chrt", "--fifo", "10")
TRANSPORTS = ("memory", "rabbitmq") if "AMQP_URL" in os.environ else ("memory",)


def tell(**line):
    print(json.dumps(line), flush=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def command(side, way, what):
    if side == "tomodachi":
        return [TOMODACHI, "run", PEER.name, "--production"], {"MODE": way if way == "serve" else what}
    return [PROGRAM, way, side if way == "serve" else what], {}


def answers(port):
    """Does it answer yet?"""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        return client.recv(100).startswith(b"HTTP/1.1 200")
    return False


class Failed(Exception):
    """A server ended, or did not answer in time."""


def launch(side, way, what, before, said):
    """A server of this side that answers: its port, its process, and how long it took. What it says goes to a file."""
    port = free_port()
    words, settings = command(side, way, what)
    began = time.perf_counter()
    settings |= {"PORT": str(port), "RUST_BACKTRACE": "0"}
    running = subprocess.Popen([*before, *words], env=os.environ | settings, cwd=PEER.parent, stdout=said, stderr=said)
    while not answers(port):
        took = time.perf_counter() - began
        if running.poll() is not None or took > 60:
            end(running)
            raise Failed(f"{' '.join(words)} on port {port}: exit code {running.returncode} after {took:.1f} s")
        time.sleep(0.001)
    ready = time.perf_counter() - began
    if running.poll() is not None:
        raise Failed(f"{' '.join(words)} has ended, and somebody else answers on port {port}")
    return port, running, ready


def end(running):
    running.kill()
    running.wait()


def launch_again(*of):
    """The same, at the next port where one fails: what it said last is told with the error."""
    with tempfile.TemporaryFile() as said:
        for start in range(1, STARTS + 1):
            try:
                return launch(*of, said)
            except Failed as failed:
                said.seek(0)
                last = said.read().decode(errors="replace").strip().splitlines()[-5:]
                print(f"   {failed} (start {start} of {STARTS})", *last, sep="\n      ", file=sys.stderr)
    raise SystemExit(f"no server of {of[0]} answered in {STARTS} starts")


@contextlib.contextmanager
def server(side, way="serve", what=None, before=()):
    """A server of this side: its port, its process, and how long it took until it answered."""
    port, running, ready = launch_again(side, way, what, before)
    try:
        yield port, running, ready
    finally:
        end(running)


@functools.cache
def first():
    """How to start what goes before all else; nothing, where that may not be: the line tells which."""
    allowed = shutil.which(FIRST[0]) and subprocess.run([*FIRST, "true"], stderr=subprocess.DEVNULL).returncode == 0
    return FIRST if allowed else ()


def h2load(version, port, *words, before=()):
    version = ["--h1"] if version == "HTTP/1.1" else ["--max-concurrent-streams", "4"]
    asked = [*before, "taskset", "-c", "1", "h2load", *version, "--clients", str(CLIENTS), *map(str, words)]
    said = subprocess.run([*asked, f"http://127.0.0.1:{port}/"], check=True, capture_output=True, text=True).stdout
    failed = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", said).groups()
    if any(map(int, failed)):
        raise SystemExit(f"requests failed: {said}")
    return said


def speed(version, port):
    said = h2load(version, port, "--duration", 1, "--warm-up-time", "200ms")
    return float(re.search(r"([\d.]+) req/s", said)[1])


def p99(version, port, before=()):
    """Of the answers to requests that come at a pace, in milliseconds."""
    with tempfile.NamedTemporaryFile() as log:
        h2load(version, port, "--duration", SECONDS, "--rps", PACE / CLIENTS, "--log-file", log.name, before=before)
        times = [int(line.split()[2]) for line in pathlib.Path(log.name).read_text().splitlines()]
    return statistics.quantiles(times, n=100)[98] / 1000


def turns(number):
    with contextlib.ExitStack() as stack:
        pin = ("taskset", "-c", "0")
        ports = {side: stack.enter_context(server(side, before=pin))[0] for side in SIDES["HTTP/1.1"]}
        for version, sides in SIDES.items():
            chosen = sides if number <= FEW else COMPARED
            for side in chosen if number % 2 else chosen[::-1]:
                late = {"p99": p99(version, ports[side])} if number <= FEW else {}
                tell(round=number, way=version, side=side, speed=speed(version, ports[side]), **late)


def spent(process):
    """What it has had of a processor, in ticks."""
    return sum(map(int, pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))


def await_quiet(process):
    before = None
    while before != (now := spent(process)):
        before = now
        time.sleep(0.5)


class Slow:
    """Clients of five kinds, each kind from an address of its own: silent, half a head, a head and a body that drip, and
    one that reads nothing."""

    BEGIN = (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nx: ",
             b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n")
    DRIPS, UNREAD = (2, 3), 4

    def __init__(self, port, running):
        self.clients = self.connect_all(port, [self.UNREAD])
        # To fill the system's buffers takes any server a while, once; and so does it to let so many in.
        await_quiet(running)
        self.clients += self.connect_all(port, range(self.UNREAD))
        await_quiet(running)
        self.end = threading.Event()
        self.dripping = threading.Thread(target=self.drip)
        self.dripping.start()

    def connect_all(self, port, kinds):
        return [(kind, self.connect(port, kind)) for _ in range(SLOW) for kind in kinds]

    def connect(self, port, kind):
        client = socket.create_connection(("127.0.0.1", port), 5, (f"127.0.0.{10 + kind}", 0))
        client.sendall(self.BEGIN[kind])
        return client

    def drip(self):
        """A byte of each every half a second, one after the other, when nothing else runs: they are to cost the server its
        time, not to take it themselves."""
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        dripping = [client for kind, client in self.clients if kind in self.DRIPS]
        for client in itertools.cycle(dripping):
            if self.end.wait(0.5 / len(dripping)):
                return
            with contextlib.suppress(OSError):
                client.sendall(b"a")

    def count(self):
        """How many the server has not let go; those that read nothing are not asked."""
        with selectors.DefaultSelector() as selector:
            for kind, client in self.clients:
                if kind != self.UNREAD:
                    selector.register(client, selectors.EVENT_READ)
            return len(self.clients) - len(selector.select(0))

    def close(self):
        self.end.set()
        self.dripping.join()
        for _, client in self.clients:
            client.close()


def make_room(port, running):
    """The system makes room for a process's files when their number has doubled, and has it wait 10 ms for that: once, and
    not while one measures. So as many connect as will, and a hundred more, and leave."""
    with contextlib.ExitStack() as stack:
        for guest in range(SLOW * 6):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 5, (f"127.0.0.{20 + guest // SLOW}", 0)))
        await_quiet(running)
    await_quiet(running)


def good_client(number, side, way, others):
    """A good client's p99 alone, and beside those that others() makes."""
    with server(side, before=(*first(), "taskset", "-c", "0")) as (port, running, _):
        make_room(port, running)
        alone = p99("HTTP/1.1", port, before=first())
        with contextlib.closing(others(port, running)) as there:
            beside = p99("HTTP/1.1", port, before=first())
            clients = there.count()
    tell(round=number, way=way, side=side, alone=alone, beside=beside, clients=clients, first=bool(first()))


def resident(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def idle(number, side, transport):
    with server(side, "idle", transport) as (_, running, ready):
        time.sleep(REST)
        tell(round=number, way="idle", side=side, transport=transport, ready=ready, resident=resident(running))


for number in range(1, ROUNDS + 1):
    print(f"   round {number} of {ROUNDS}", file=sys.stderr)
    turns(number)
    for side in BESIDE if number <= FEW else ():
        good_client(number, side, "slow", Slow)
        good_client(number, side, "attacked", Attackers)
# Fewer are enough: memory is much the same each time.
for number in range(1, min(ROUNDS, 3) + 1):
    for transport in TRANSPORTS:
        for side in ("tegami", "tomodachi"):
            idle(number, side, transport)
