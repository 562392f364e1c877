"""A tomodachi service for the interop tests; they run it by `tomodachi run`, as anybody would.

PEER says, as JSON, where the broker is and what to read. Each line of stdin is a message to send; each line of stdout is
a message that was read. The end of stdin ends it at once.
"""

import asyncio
import base64
import json
import os
import sys
import time

import tomodachi
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.json_format import MessageToDict, ParseDict
from tomodachi.envelope import JsonBase, ProtobufBase

PEER = json.loads(os.environ["PEER"])
ENVELOPES = {"json": JsonBase, "protobuf": ProtobufBase}
# A line may hold a large message.
LINE = 16 * 1024 * 1024


def letter_posted():
    """The class that protoc would make of letters.v1.LetterPosted; LetterFiled has the same fields."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="letters.proto", package="letters.v1", syntax="proto3")
    message = file.message_type.add(name="LetterPosted")
    kinds = [("box", field.TYPE_STRING), ("number", field.TYPE_UINT64), ("text", field.TYPE_STRING)]
    for number, (name, kind) in enumerate(kinds, 1):
        message.field.add(name=name, number=number, type=kind, label=field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("letters.v1.LetterPosted"))


LetterPosted = letter_posted()


async def note(wish, data, metadata, service, message_uuid, **beside):
    """Tells of a message, with what stood beside its body."""
    data = MessageToDict(data) if isinstance(data, LetterPosted) else data
    line = {"data": data, "metadata": metadata, "service": service, "id": message_uuid, "beside": beside,
            "at": time.time()}
    print(json.dumps(line, default=str), flush=True)
    if wish.get("holds"):
        await asyncio.Event().wait()


class Amqp:
    """How it is done on RabbitMQ."""

    @staticmethod
    def options():
        return {"amqp": tomodachi.Options.AMQP(
            port=PEER["amqp"], login="guest", password="guest",
            routing_key_prefix=PEER["prefix"], queue_name_prefix=PEER["prefix"],
        )}

    @staticmethod
    def reader(wish, **common):
        async def read(self, data, metadata, service, message_uuid, properties):
            found = {name: getattr(properties, name) for name in properties.__slots__}
            told = {name: value for name, value in found.items() if value not in (None, "")}
            await note(wish, data, metadata, service, message_uuid, **told)

        return read, tomodachi.amqp(wish["routing_key"], **common)

    @staticmethod
    async def send(service, data, message, **common):
        await tomodachi.amqp_publish(service, data, routing_key=message["routing_key"], **common)


class Aws:
    """How it is done on SNS and SQS."""

    @staticmethod
    def options():
        return {
            "aws_sns_sqs": tomodachi.Options.AWSSNSSQS(
                region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test",
                topic_prefix=PEER["prefix"], queue_name_prefix=PEER["prefix"],
            ),
            "aws_endpoint_urls": tomodachi.Options.AWSEndpointURLs(
                sns=PEER["aws"], sqs=PEER["aws"], sts=PEER["aws"],
            ),
        }

    @staticmethod
    def reader(wish, **common):
        async def read(self, data, metadata, service, message_uuid, message_attributes, message_type, topic,
                       message_group_id, message_deduplication_id):
            attributes = {name: shown(value) for name, value in message_attributes.items()}
            await note(wish, data, metadata, service, message_uuid, attributes=attributes, type=message_type,
                       topic=topic, group=message_group_id, deduplication=message_deduplication_id)

        own = {name: wish[name] for name in ("fifo", "visibility_timeout") if name in wish}
        return read, tomodachi.aws_sns_sqs(wish["topic"], **own, **common)

    @staticmethod
    async def send(service, data, message, **common):
        order = {name: message[name] for name in ("group_id", "deduplication_id") if name in message}
        attributes = {name: meant(value) for name, value in message.get("attributes", {}).items()}
        send, where = (tomodachi.sns_publish, {"topic": message["topic"]}) if "topic" in message else (
            tomodachi.sqs_send_message, {"queue_name": message["queue"]})
        await send(service, data, message_attributes=attributes, **where, **order, **common)


def shown(value):
    """A value as JSON; bytes as an object."""
    return {"bytes": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def meant(value):
    return base64.b64decode(value["bytes"]) if isinstance(value, dict) else value


TRANSPORT = Amqp if "amqp" in PEER else Aws


def reader(number, wish):
    """A handler of what was wished for."""
    extra = {"proto_class": LetterPosted} if wish["envelope"] == "protobuf" else {}
    read, decorator = TRANSPORT.reader(wish, competing=True, queue_name=wish["queue"],
                                       message_envelope=ENVELOPES[wish["envelope"]], **extra)
    # tomodachi tells handlers apart by their names.
    read.__name__ = f"read_{number}"
    return decorator(read)


class Peer(tomodachi.Service):
    name = "peer"
    options = tomodachi.Options(**TRANSPORT.options())
    log_level = "WARNING"

    async def _started_service(self):
        self.sending = asyncio.create_task(self.send_lines())
        print(json.dumps({"ready": True}), flush=True)

    async def send_lines(self):
        lines = asyncio.StreamReader(limit=LINE)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            message = json.loads(line)
            protobuf = message["envelope"] == "protobuf"
            data = ParseDict(message["data"], LetterPosted()) if protobuf else message["data"]
            await TRANSPORT.send(self, data, message, message_envelope=ENVELOPES[message["envelope"]])
        # Whoever started it is gone; handlers may still run.
        os._exit(0)


for number, wish in enumerate(PEER["reads"]):
    setattr(Peer, f"read_{number}", reader(number, wish))
