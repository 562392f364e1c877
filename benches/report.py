"""Writes the README of the figures from what was measured; scripts/bench calls it."""

import collections
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tomllib

from aws import tables as aws
from gate import tables as gate
from rabbitmq import tables as rabbitmq
from web import tables as web

FOLDER = pathlib.Path(sys.argv[1])
HERE = pathlib.Path(__file__).parent


def lines(name):
    return [json.loads(line) for line in (FOLDER / f"{name}.json").read_text().splitlines()]


def slopes(name):
    """What each further repetition adds: {(function, contender): {metric: amount}}."""
    runs = collections.defaultdict(dict)
    for summary in lines(name):
        contender, repetitions = re.fullmatch(r"(.+)_(\d+)", summary["id"]).groups()
        metrics = {}
        for profile in summary["profiles"]:
            metrics |= profile["data"]["total"]["metrics"]
        runs[summary["function_name"], contender][int(repetitions)] = metrics
    return {of: slope(*sorted(two.items())) for of, two in runs.items()}


def slope(shorter, longer):
    (few, before), (many, after) = shorter, longer
    new = lambda metrics, name: metrics[name]["values"]["new"]
    assert new(after, "Ir") > new(before, "Ir") > 0, "nothing was counted"
    return {name: (new(after, name) - new(before, name)) / (many - few) for name in before}


def number(value):
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:,.1f}"


def table(head, rows, names=1):
    """A table whose first columns are names, and whose others are numbers."""
    marks = [":--"] * names + ["--:"] * (len(head) - names)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, marks, *rows])


def ratio(value, base):
    return f"{value / base:.2f}"


def verdict(values, most):
    worst = max(values)
    return f"{'Met' if worst <= most else 'Not met'}: the highest is {worst:.2f}."


# Messages

SIDES = {"json_base": "tegami, `JsonBase`", "raw": "tegami, `Raw`", "ruststream": "ruststream"}
WAYS = {
    "delivery_to_ack": "delivery to ack",
    "publish_to_ack": "publish to ack, one at a time",
    "burst_to_ack": "publish to ack, all published first",
}


def messages(all_slopes):
    rows = []
    for way, told in WAYS.items():
        base = all_slopes[way, "ruststream"]
        for side, name in SIDES.items():
            cost = all_slopes[way, side]
            amounts = [number(cost[metric]) for metric in ("Ir", "TotalBlocks", "TotalBytes")]
            rows.append([told, name, amounts[0], ratio(cost["Ir"], base["Ir"]), *amounts[1:]])
            told = ""
    return table(["way", "service", "instructions", "ratio", "allocations", "bytes allocated"], rows, names=2)


def messages_aim(all_slopes):
    ratios = [all_slopes[way, "json_base"]["Ir"] / all_slopes[way, "ruststream"]["Ir"] for way in WAYS]
    return verdict(ratios, 1.0)


def queued(all_slopes):
    rows = [[name, number(all_slopes["queued", side]["AtTEndBytes"])] for side, name in SIDES.items()]
    return table(["service", "bytes"], rows)


# Envelopes

# The envelope, the event alone, and the whole body, all as the benchmarks name them.
ENVELOPES = {
    "`JsonBase`": ("json_base", "serde_json", "json_body"),
    "`CloudEvents`, JSON": ("cloud_events", "serde_json", "cloud_event"),
    "`Raw`, JSON": ("raw_json", "serde_json", "serde_json"),
    "`ProtobufBase`": ("protobuf_base", "prost", "protobuf_body"),
    "`Raw`, protobuf": ("raw_protobuf", "prost", "prost"),
}


def envelopes(all_slopes, way):
    rows = []
    for name, compared in ENVELOPES.items():
        envelope, event, body = (all_slopes[way, one]["Ir"] for one in compared)
        rows.append([name, number(envelope), number(event), ratio(envelope, event), number(body), ratio(envelope, body)])
    return table([way, "tegami", "event alone", "ratio", "body as a struct", "ratio"], rows)


def envelopes_aim(all_slopes):
    ratios = []
    for envelope, event, _ in ENVELOPES.values():
        ratios += [all_slopes[way, envelope]["Ir"] / all_slopes[way, event]["Ir"] for way in ("encode", "decode")]
    return verdict(ratios, 1.2)


# Subscriptions

COUNTS = (1, 10, 100, 1000)


def subscriptions(all_slopes):
    rows = []
    for count in COUNTS:
        one, own, other = (all_slopes[way, f"s{count}"]["Ir"] for way in ("one", "all", "all_ruststream"))
        cells = [one, own / count, other / count]
        rows.append([number(count), *map(number, cells), ratio(own, other)])
    head = ["subscriptions", "one wants it: per message", "all want it: per delivery", "ruststream, the same", "ratio"]
    return table(head, rows)


# Throughput


def throughput(timed):
    speeds = collections.defaultdict(list)
    for line in timed:
        speeds[line["workers"], line["side"]].append(line["messages"] / line["seconds"])
    rows = []
    for (workers, side), values in sorted(speeds.items(), key=lambda item: (item[0][0], item[0][1] != "tegami")):
        base = statistics.median(speeds[workers, "ruststream"])
        middle = statistics.median(values)
        rows.append([str(workers), side, number(min(values)), number(middle), number(max(values)), ratio(middle, base)])
    return table(["workers", "service", "lowest", "median", "highest", "ratio"], rows, names=2)


# The machine and what was measured


def said(*command):
    return subprocess.run(command, capture_output=True, check=True, text=True, cwd=HERE).stdout.strip()


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())[1]
    return f"{os.cpu_count()} cores, {model}, {platform.freedesktop_os_release()['PRETTY_NAME']}"


CRATES = ("tegami", "axum", "hyper", "ruststream", "lapin", "ruststream-lapin", "aws-sdk-sns", "aws-sdk-sqs", "tokio", "serde_json", "prost", "gungraun")


def versions():
    packages = tomllib.loads((HERE / "Cargo.lock").read_text())["package"]
    locked = {package["name"]: package["version"] for package in packages}
    crates = [f"{name} {locked[name]}" for name in CRATES]
    return ", ".join([said("rustc", "--version").rsplit(" (", 1)[0], *crates, said("valgrind", "--version")])


def commit():
    # The report itself is not what is measured.
    changed = said("git", "status", "--porcelain", "--", "..", ":!README.md")
    return said("git", "rev-parse", "--short=10", "HEAD") + (", with changes" if changed else "")


def main():
    sent, enveloped, subscribed = slopes("messages"), slopes("envelopes"), slopes("subscriptions")
    *timed, last = lines("throughput")
    text = (HERE / "README.template.md").read_text()
    parts = {
        "machine": machine(),
        "versions": versions(),
        "commit": commit(),
        "messages": messages(sent),
        "messages aim": messages_aim(sent),
        "queued": queued(sent),
        "encode": envelopes(enveloped, "encode"),
        "decode": envelopes(enveloped, "decode"),
        "envelopes aim": envelopes_aim(enveloped),
        "subscriptions": subscriptions(subscribed),
        "throughput": throughput(timed),
        "rounds": str(len(timed) // 4),
        "others": f"{last['others']:.0%}",
    } | rabbitmq.parts(lines("rabbitmq")) | aws.parts(lines("aws")) | web.parts(lines("web")) | gate.parts(lines("gate"))
    print(re.sub(r"<<(.+?)>>", lambda part: parts[part[1]], text), end="")


main()
