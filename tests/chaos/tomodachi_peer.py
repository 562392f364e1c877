"""What tests/chaos puts beside its own processes: a tomodachi service that publishes, or one that consumes. The crew runs it
by `tomodachi run`, as anybody would, and starts it again when it ends.

CHAOS_WORKER says, as JSON, what it is to do; it writes the ledger that tegami's processes write. What an operator would add
around it is here too: it ends when its connection has ended, which it would not notice itself, and a handler has a limit
of time. The end of stdin ends it at once: whoever started it is gone.
"""

import asyncio
import hashlib
import json
import os
import pathlib
import sys
import time
from urllib.parse import urlsplit

import tomodachi
from tomodachi.envelope import JsonBase
from tomodachi.transport.amqp import AmqpTransport

GIVEN = json.loads(os.environ["CHAOS_WORKER"])
FOLDER, PREFIX, SEED, LIFE = (GIVEN[name] for name in ("folder", "prefix", "seed", "life"))
# The events, with the queues that tegami's consumers would have.
POSTED, FILED = "letters.v1.LetterPosted", "letters.v1.LetterFiled"
QUEUES = {POSTED: "desk-letters-v1-LetterPosted", FILED: "desk-letters-filed-v1-LetterFiled.fifo"}
# As in worker/publisher.rs and worker/consumer.rs. Seconds.
POSTERS, AGAIN, TIMEOUT, SLOW, WATCH = 24, 0.05, 3, 0.25, 0.5
# An open connection of aioamqp.
OPEN = 1


def draw(text):
    """As fate.rs does it."""
    value, mask = 0xCBF29CE484222325, (1 << 64) - 1
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & mask
    for by in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = ((value ^ (value >> 33)) * by) & mask
    return (value ^ (value >> 33)) % 10_000


assert [draw("7/m-1/1"), draw("7/m-2/1"), draw("8/m-1/doubled")] == [1954, 7057, 8631], "fate.rs draws otherwise"


class Ledger:
    def __init__(self):
        path = pathlib.Path(FOLDER) / f"{GIVEN['name']}-life-{LIFE}-1.ledger"
        self.file, self.sequence = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 0

    def write(self, **entry):
        name, fields = next(iter(entry.items()))
        line = {"at": time.time_ns(), "entry": {name.replace("_", "-"): fields}}
        os.write(self.file, (json.dumps(line) + "\n").encode())

    def begin(self, message, key, body, to):
        self.sequence += 1
        self.write(publish_begin={"id": message, "key": key, "sequence": self.sequence, "checksum": checksum(body),
                                  "to": [PREFIX + QUEUES[to]]})

    def end(self, message, answer):
        self.write(publish_end={"id": message, "answer": answer})


def checksum(body):
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


class Rubbish:
    """An envelope that is none."""

    @staticmethod
    async def build_message(service, topic, data, **_):
        return data


async def watch():
    """Ends the process when its connection has ended."""
    while AmqpTransport.protocol is None or AmqpTransport.protocol.state == OPEN:
        await asyncio.sleep(WATCH)
    print("the connection has ended, and so does this", flush=True)
    os._exit(1)


async def listen(each):
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        each(line)
    os._exit(3)


class Common(tomodachi.Service):
    options = tomodachi.Options(amqp=tomodachi.Options.AMQP(
        host="127.0.0.1", port=urlsplit(GIVEN["url"]).port, login="guest", password="guest",
        routing_key_prefix=PREFIX, queue_name_prefix=PREFIX,
    ))
    message_envelope = JsonBase
    log_level = "WARNING"

    def begun(self, each=lambda _: None):
        self.ledger = Ledger()
        self.tasks = [asyncio.create_task(watch()), asyncio.create_task(listen(each))]


class Publisher(Common):
    name = "till"

    async def _started_service(self):
        self.rate = GIVEN["rate"]
        self.begun(self.told)
        self.tasks += [asyncio.create_task(self.post(poster)) for poster in range(POSTERS)]

    def told(self, line):
        self.rate = int(line)

    async def post(self, poster):
        # Not all at the same moment; and not before the consumers have made their queues.
        while len(list(pathlib.Path(FOLDER).glob("consumer-*.ledger"))) < 2:
            await asyncio.sleep(AGAIN)
        await asyncio.sleep(1 + poster * 0.007)
        number = 0
        while True:
            message, key = f"{LIFE}-{poster}-{number}", f"k-{LIFE}-{poster}"
            event = FILED if number % 3 == 0 else POSTED
            data = {"id": message, "box": key, "number": number, "text": f"{message} " + "la " * 66}
            for _ in range(2 if draw(f"{SEED}/{message}/doubled") < 300 else 1):
                await self.until_taken(event, message, key, data)
            if draw(f"{SEED}/{message}/poison") < 100:
                rubbish = f'{{"this is no envelope": poison-{message}'
                await self.until_taken(POSTED, f"poison-{message}", None, rubbish, message_envelope=Rubbish)
            number += 1
            await asyncio.sleep(POSTERS / max(self.rate, 1))

    async def until_taken(self, event, message, key, data, **more):
        while True:
            self.ledger.begin(message, key, data, event)
            try:
                await tomodachi.amqp_publish(self, data, routing_key=event, **more)
                return self.ledger.end(message, "ok")
            except Exception:
                self.ledger.end(message, "unknown")
            await asyncio.sleep(AGAIN)


class Consumer(Common):
    name = "desk"

    async def _started_service(self):
        self.begun()

    async def handle(self, event, data):
        if not hasattr(self, "ledger"):
            self.ledger = Ledger()
        message, subscription = data["id"], PREFIX + QUEUES[event]
        self.attempts = getattr(self, "attempts", {})
        attempt = self.attempts[message] = self.attempts.get(message, 0) + 1
        run = {"id": message, "subscription": subscription, "attempt": attempt}
        self.ledger.write(run_begin={**run, "key": data["box"], "checksum": checksum(data)})
        ended = "err"
        try:
            await asyncio.wait_for(self.behave(message, attempt), TIMEOUT)
            ended = "ok"
        finally:
            self.ledger.write(run_end={**run, "ended": ended, "retry_after": None})

    async def behave(self, message, attempt):
        drawn = draw(f"{SEED}/{message}/{attempt}")
        if drawn < 600 or 710 <= drawn < 730:
            raise RuntimeError("it is drawn to fail")
        if drawn < 700:
            await asyncio.sleep(SLOW)
        elif drawn < 710:
            await asyncio.Event().wait()

    @tomodachi.amqp(POSTED, competing=True, queue_name=QUEUES[POSTED])
    async def posted(self, data):
        await self.handle(POSTED, data)

    @tomodachi.amqp(FILED, competing=True, queue_name=QUEUES[FILED])
    async def filed(self, data):
        await self.handle(FILED, data)


if GIVEN["role"] == "publisher":
    del Consumer
else:
    del Publisher
del Common
