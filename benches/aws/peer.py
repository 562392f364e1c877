"""tomodachi's side: publishes or consumes so many messages and prints what they cost, or runs for so many seconds.

    AWS_ENDPOINT_URL=… MODE=publish|consume|idle|trickle AMOUNT=… tomodachi run peer.py
"""

import asyncio
import json
import os
import resource
import time

import tomodachi
from tomodachi.envelope import JsonBase
from tomodachi.options import Options

MODE, AMOUNT = os.environ["MODE"], int(os.environ["AMOUNT"])
URL = os.environ["AWS_ENDPOINT_URL"]
TOPIC, QUEUE = "bench-notes", "bench-tomodachi"
BODY = 1024


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def tell(answer):
    print(json.dumps(answer), flush=True)


class Peer:
    name = "billing"
    message_envelope = JsonBase
    options = Options(
        aws_sns_sqs=Options.AWSSNSSQS(region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"),
        aws_endpoint_urls=Options.AWSEndpointURLs(sns=URL, sqs=URL, sts=URL),
    )
    handled = 0

    async def order(self):
        order = {"orderId": "o-1000001", "number": 0, "note": ""}
        body = await JsonBase.build_message(self, TOPIC, order)
        return order | {"note": "n" * (BODY - len(body))}

    async def send(self, order):
        await tomodachi.aws_sns_sqs_publish(self, order, topic=TOPIC)

    def begin(self):
        self.began = time.perf_counter(), cpu()

    def end(self, messages):
        seconds, spent = time.perf_counter() - self.began[0], cpu() - self.began[1]
        tell({"messages": messages, "seconds": seconds, "cpu": spent})
        tomodachi.exit()


class Publisher(Peer):
    async def _started_service(self):
        order = await self.order()
        await self.send(order)
        self.begin()
        for _ in range(1, AMOUNT):
            await self.send(order)
        self.end(AMOUNT - 1)


class Reader(Peer):
    @tomodachi.aws_sns_sqs(TOPIC, queue_name=QUEUE, competing=True)
    async def handle(self, data):
        await self.handles()

    async def handles(self):
        pass


class Consumer(Reader):
    async def handles(self):
        self.handled += 1
        if self.handled == 1:
            self.begin()
        if self.handled == AMOUNT:
            self.end(AMOUNT - 1)


class Quiet(Reader):
    async def _started_service(self):
        self.watched = asyncio.create_task(self.watch())

    async def watch(self):
        order = await self.order()
        tell("begins")
        for _ in range(AMOUNT):
            if MODE == "trickle":
                await self.send(order)
            await asyncio.sleep(1)
        tell("ends")
        tomodachi.exit()


SIDES = {"publish": Publisher, "consume": Consumer, "idle": Quiet, "trickle": Quiet}


class Service(SIDES[MODE], tomodachi.Service):
    """What tomodachi runs."""
