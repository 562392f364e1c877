"""tomodachi's side: answers hello; where it idles, with a schedule, and on RabbitMQ with a subscription.

    PORT=… MODE=serve|memory|rabbitmq [AMQP_URL=…] tomodachi run peer.py
"""

import os
import urllib.parse

import tomodachi
from tomodachi.envelope import JsonBase
from tomodachi.options import Options

URL = urllib.parse.urlsplit(os.environ.get("AMQP_URL", "amqp://localhost"))
WAY = os.environ["MODE"]


class Peer:
    name = "billing"
    message_envelope = JsonBase
    options = Options(
        http=Options.HTTP(port=int(os.environ["PORT"]), access_log=False, keepalive_timeout=60),
        amqp=Options.AMQP(
            host=URL.hostname,
            port=URL.port or 5672,
            login=URL.username or "guest",
            password=URL.password or "guest",
            virtualhost=urllib.parse.unquote(URL.path[1:]) or "/",
        ),
    )

    @tomodachi.http("GET", r"/")
    async def hello(self, request):
        return "hello"


class Scheduled(Peer):
    @tomodachi.schedule(interval="1 hour")
    async def tick(self):
        pass


class Subscribed(Scheduled):
    @tomodachi.amqp("bench.idle", queue_name="idle", competing=True)
    async def handle(self, data):
        pass


class Service({"serve": Peer, "memory": Scheduled, "rabbitmq": Subscribed}[WAY], tomodachi.Service):
    """What tomodachi runs."""
