"""Has the sides take turns and prints what each turn cost, a line of JSON for each; scripts/bench calls it.

    [AMQP_URL=…] rounds.py PROGRAM TOMODACHI ROUNDS SECONDS

The server has the first core, what asks it the second. In a few rounds everything is measured, in the others only the
speed of two sides, for a second each: what else the machine does changes from second to second.
"""

import contextlib
import itertools
import json
import os
import pathlib
import re
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

PROGRAM, TOMODACHI = sys.argv[1:3]
ROUNDS, SECONDS = map(int, sys.argv[3:5])
PEER = pathlib.Path(__file__).with_name("peer.py")
SIDES = {"HTTP/1.1": ("tegami", "axum", "axum-nodelay", "tomodachi"), "HTTP/2": ("tegami", "axum", "axum-nodelay")}
COMPARED = ("tegami", "axum")
BESIDE = ("tegami", "axum-nodelay")
# How many rounds measure everything.
FEW = 11
CLIENTS = 32
# A second, of all clients together, where the time of an answer is taken.
PACE = 1000
# How long a service is left alone before one looks at its memory.
REST = 5
SLOW = 100
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


@contextlib.contextmanager
def server(side, way="serve", what=None, before=()):
    """A server of this side: its port, its process, and how long it took until it answered."""
    port = free_port()
    words, settings = command(side, way, what)
    began = time.perf_counter()
    running = subprocess.Popen([*before, *words], env=os.environ | settings | {"PORT": str(port)}, cwd=PEER.parent,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers(port):
            if running.poll() is not None or time.perf_counter() - began > 60:
                raise SystemExit(f"{words} does not answer")
            time.sleep(0.001)
        yield port, running, time.perf_counter() - began
    finally:
        running.kill()
        running.wait()


def h2load(version, port, *words):
    version = ["--h1"] if version == "HTTP/1.1" else ["--max-concurrent-streams", "4"]
    asked = ["taskset", "-c", "1", "h2load", *version, "--clients", str(CLIENTS), *map(str, words)]
    said = subprocess.run([*asked, f"http://127.0.0.1:{port}/"], check=True, capture_output=True, text=True).stdout
    failed = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", said).groups()
    if any(map(int, failed)):
        raise SystemExit(f"requests failed: {said}")
    return said


def speed(version, port):
    said = h2load(version, port, "--duration", 1, "--warm-up-time", "200ms")
    return float(re.search(r"([\d.]+) req/s", said)[1])


def p99(version, port):
    """Of the answers to requests that come at a pace, in milliseconds."""
    with tempfile.NamedTemporaryFile() as log:
        h2load(version, port, "--duration", SECONDS, "--rps", PACE / CLIENTS, "--log-file", log.name)
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
        # To fill the system's buffers takes any server a while, once.
        await_quiet(running)
        self.clients += self.connect_all(port, range(self.UNREAD))
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

    def connected(self):
        """How many the server has not let go; those that read nothing are not asked."""
        with selectors.DefaultSelector() as selector:
            for kind, client in self.clients:
                if kind != self.UNREAD:
                    selector.register(client, selectors.EVENT_READ)
            return len(self.clients) - len(selector.select(0))

    def leave(self):
        self.end.set()
        self.dripping.join()
        for _, client in self.clients:
            client.close()


def slow(number, side):
    with server(side, before=("taskset", "-c", "0")) as (port, running, _):
        alone = p99("HTTP/1.1", port)
        clients = Slow(port, running)
        beside = p99("HTTP/1.1", port)
        connected = clients.connected()
        clients.leave()
    tell(round=number, way="slow", side=side, alone=alone, beside=beside, clients=connected)


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
        slow(number, side)
# Fewer are enough: memory is much the same each time.
for number in range(1, min(ROUNDS, 3) + 1):
    for transport in TRANSPORTS:
        for side in ("tegami", "tomodachi"):
            idle(number, side, transport)
