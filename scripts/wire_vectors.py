"""Envelopes as the real tomodachi writes and reads them. Run through scripts/wire-peers."""

import asyncio
import base64
import json
import sys

import tomodachi
from google.protobuf.wrappers_pb2 import StringValue
from tomodachi.envelope import JsonBase, ProtobufBase


class Service:
    name = "svc"
    uuid = "5d0b530f-5c44-4981-b01f-342801bd48f5"


class Nameless:
    pass


ENVELOPES = {"json": JsonBase, "protobuf": ProtobufBase}

JSON_CASES = {
    "object": {"a": 1, "å": "é", "f": 1.0},
    "unicode": {"astral": "😀", "kanji": "手紙", "control": "\x00\x1f\x7f\u2028", "quotes": "\"\\/"},
    "nulls": {"nothing": None, "list": [None, True, False], "empty": {}, "none": []},
    "nested": {"a": [{"b": {"c": [[1], [[2.5]], "x"]}}], "d": {"e": {"f": {"g": -0.0}}}},
    "numbers": {"big": 9007199254740993, "u64": 18446744073709551615, "tiny": 5e-324, "exp": 1e16, "small": 1e-05},
    "text at 59,997 characters": "x" * 59997,
    "text at 59,998 characters": "x" * 59998,
    "unicode text beyond 60,000 escaped": "é" * 10000,
}


def string_value(size):
    """A StringValue that takes exactly this many bytes."""
    value = StringValue(value="y" * size)
    while value.ByteSize() > size:
        value = StringValue(value=value.value[:-1])
    assert value.ByteSize() == size
    return value


PROTOBUF_CASES = {
    "hello": StringValue(value="hello"),
    "empty": StringValue(),
    "at 60,000 bytes": string_value(60000),
    "at 60,001 bytes": string_value(60001),
}


async def vectors():
    for service, topic, names in [(Service, "t.o", None), (Nameless, "", {"object", "hello"})]:
        for name, data in JSON_CASES.items():
            if names is None or name in names:
                body = await JsonBase.build_message(service, topic, data)
                yield {"name": f"{service.__name__}: {name}", "envelope": "json", "body": body,
                       "payload": json.dumps(data)}
        for name, data in PROTOBUF_CASES.items():
            if names is None or name in names:
                body = await ProtobufBase.build_message(service, topic, data)
                payload = base64.b64encode(data.SerializeToString()).decode()
                yield {"name": f"{service.__name__}: {name}", "envelope": "protobuf", "body": body,
                       "payload": payload}


async def write(path):
    found = [vector async for vector in vectors()]
    with open(path, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(vector) for vector in found) + "\n]\n")


async def check(envelope, body):
    extra = {"proto_class": StringValue} if envelope == "protobuf" else {}
    message, uuid, timestamp = await ENVELOPES[envelope].parse_message(body, **extra)
    data = message["data"]
    return {
        "service": message["service"],
        "topic": message["metadata"]["topic"],
        "data_encoding": message["metadata"]["data_encoding"],
        "data": data.value if isinstance(data, StringValue) else data,
        "message_uuid": uuid,
        "timestamp": timestamp,
    }


async def check_all(bodies):
    return [await check(body["envelope"], body["body"]) for body in bodies]


if sys.argv[2:3] == ["--check"]:
    print(json.dumps(asyncio.run(check_all(json.load(sys.stdin)))))
else:
    asyncio.run(write(f"{sys.argv[1]}/tomodachi-{tomodachi.__version__}.json"))
