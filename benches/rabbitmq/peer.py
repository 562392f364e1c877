"""tomodachi's side: publishes or consumes so many messages, and prints what they cost as a line of JSON.

    AMQP_URL=… MODE=publish|consume MESSAGES=… tomodachi run peer.py
"""

import json
import os
import resource
import time
import urllib.parse

import tomodachi
from tomodachi.envelope import JsonBase
from tomodachi.options import Options

MESSAGES = int(os.environ["MESSAGES"])
URL = urllib.parse.urlsplit(os.environ["AMQP_URL"])
KEY, QUEUE = os.environ["KEY"], "bench"
BODY = 1024


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Peer:
    name = "billing"
    message_envelope = JsonBase
    options = Options(
        amqp=Options.AMQP(
            host=URL.hostname,
            port=URL.port,
            login=URL.username,
            password=URL.password,
            virtualhost=urllib.parse.unquote(URL.path[1:]),
            qos=Options.AMQP.QOS(queue_prefetch_count=300, global_prefetch_count=300),
        ),
    )
    handled = 0

    def begin(self):
        self.began = time.perf_counter(), cpu()

    def end(self):
        seconds, spent = time.perf_counter() - self.began[0], cpu() - self.began[1]
        print(json.dumps({"messages": MESSAGES - 1, "seconds": seconds, "cpu": spent}), flush=True)
        tomodachi.exit()


class Consumer(Peer):
    @tomodachi.amqp(KEY, queue_name=QUEUE, competing=True)
    async def handle(self, data):
        self.handled += 1
        if self.handled == 1:
            self.begin()
        if self.handled == MESSAGES:
            self.end()


class Publisher(Peer):
    async def _started_service(self):
        order = {"orderId": "o-1000001", "number": 0, "note": ""}
        body = await JsonBase.build_message(self, KEY, order)
        order["note"] = "n" * (BODY - len(body))
        await self.send(order)
        self.begin()
        for _ in range(1, MESSAGES):
            await self.send(order)
        self.end()

    async def send(self, order):
        await tomodachi.amqp_publish(self, order, routing_key=KEY)


class Service({"publish": Publisher, "consume": Consumer}[os.environ["MODE"]], tomodachi.Service):
    """What tomodachi runs."""
