"""A tomodachi service for the interop tests; they run it by `tomodachi run`, as anybody would.

PEER says, as JSON, where the broker is and what to read. Each line of stdin is a message to publish; each line of stdout
is a message that was read. The end of stdin ends it at once.
"""

import asyncio
import json
import os
import sys

import tomodachi
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.json_format import MessageToDict, ParseDict
from tomodachi.envelope import JsonBase, ProtobufBase

PEER = json.loads(os.environ["PEER"])
ENVELOPES = {"json": JsonBase, "protobuf": ProtobufBase}
# A line may hold a large message.
LINE = 16 * 1024 * 1024


def letter_posted():
    """The class that protoc would make of letters.v1.LetterPosted."""
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


def told(properties):
    """The properties that a message has."""
    found = {name: getattr(properties, name) for name in properties.__slots__}
    return {name: value for name, value in found.items() if value not in (None, "")}


def reader(number, wish):
    """A handler of the routing key, the queue and the envelope that were wished for."""

    async def read(self, data, metadata, service, message_uuid, properties):
        data = MessageToDict(data) if isinstance(data, LetterPosted) else data
        line = {"data": data, "metadata": metadata, "service": service, "id": message_uuid,
                "properties": told(properties)}
        print(json.dumps(line, default=str), flush=True)
        if wish.get("holds"):
            await asyncio.Event().wait()

    # tomodachi tells handlers apart by their names.
    read.__name__ = f"read_{number}"
    extra = {"proto_class": LetterPosted} if wish["envelope"] == "protobuf" else {}
    return tomodachi.amqp(wish["routing_key"], competing=True, queue_name=wish["queue"],
                          message_envelope=ENVELOPES[wish["envelope"]], **extra)(read)


class Peer(tomodachi.Service):
    name = "peer"
    options = tomodachi.Options(amqp=tomodachi.Options.AMQP(
        port=PEER["port"], login="guest", password="guest",
        routing_key_prefix=PEER["prefix"], queue_name_prefix=PEER["prefix"],
    ))
    log_level = "WARNING"

    async def _started_service(self):
        self.publishing = asyncio.create_task(self.publish_lines())
        print(json.dumps({"ready": True}), flush=True)

    async def publish_lines(self):
        lines = asyncio.StreamReader(limit=LINE)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            message = json.loads(line)
            protobuf = message["envelope"] == "protobuf"
            data = ParseDict(message["data"], LetterPosted()) if protobuf else message["data"]
            await tomodachi.amqp_publish(self, data, routing_key=message["routing_key"],
                                         message_envelope=ENVELOPES[message["envelope"]])
        # Whoever started it is gone; handlers may still run.
        os._exit(0)


for number, wish in enumerate(PEER["reads"]):
    setattr(Peer, f"read_{number}", reader(number, wish))
