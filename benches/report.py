"""Keeps what was measured, and writes the README from all that is kept; scripts/bench calls it.

    report.py keep PART LINES     PART is one of PARTS, LINES the file that its measure printed
    report.py write
    report.py scaling              the pictures and tables of docs/scaling.md
    report.py scaling LINES OUT    the same of a quick run that is not kept, in another place

A part is kept in figures/PART.json: in the first line when, where and of what it was measured, then what was measured.
Of a part that was measured before any was kept there is, instead, what the README said. What was never measured is said to be so.
"""

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
from proof import tables as proof
from rabbitmq import tables as rabbitmq
from scale import tables as scale
from store import tables as store
from web import tables as web

HERE = pathlib.Path(__file__).parent
FIGURES = HERE / "figures"
SCALING = HERE.parent / "docs" / "scaling.md"
PROOF = HERE.parent / "docs" / "proof.md"


def lines(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


def counted(summaries):
    """What is kept of gungraun's summaries: the amounts, without the changes since another run."""
    for summary in summaries:
        metrics = {}
        for profile in summary["profiles"]:
            metrics |= profile["data"]["total"]["metrics"]
        amounts = {name: metric["values"]["new"] for name, metric in metrics.items()}
        yield {"function": summary["function_name"], "id": summary["id"], "metrics": amounts}


def slopes(counts):
    """What each further repetition adds: {(function, contender): {metric: amount}}."""
    runs = collections.defaultdict(dict)
    for line in counts:
        contender, repetitions = re.fullmatch(r"(.+)_(\d+)", line["id"]).groups()
        runs[line["function"], contender][int(repetitions)] = line["metrics"]
    return {of: slope(*sorted(two.items())) for of, two in runs.items()}


def slope(shorter, longer):
    (few, before), (many, after) = shorter, longer
    assert after["Ir"] > before["Ir"] > 0, "nothing was counted"
    return {name: (after[name] - before[name]) / (many - few) for name in before}


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


def versions(part):
    packages = tomllib.loads((HERE / "Cargo.lock").read_text())["package"]
    locked = {package["name"]: package["version"] for package in packages}
    crates = [f"{name} {locked[name]}" for name in PARTS[part][1]]
    counter = [said("valgrind", "--version")] if part in COUNTED else []
    return ", ".join([said("rustc", "--version").rsplit(" (", 1)[0], *crates, *counter])


def commit():
    # The report itself is not what is measured.
    changed = said("git", "status", "--porcelain", "--", "..", ":!README.md", ":!figures", ":!../docs")
    return said("git", "rev-parse", "--short=10", "HEAD") + (", with changes" if changed else "")


# The parts: what is measured at once, of what, and what it becomes in the README


def messages_parts(counts):
    sent = slopes(counts)
    return {"messages": messages(sent), "messages aim": messages_aim(sent), "queued": queued(sent)}


def envelopes_parts(counts):
    enveloped = slopes(counts)
    tables = {way: envelopes(enveloped, way) for way in ("encode", "decode")}
    return tables | {"envelopes aim": envelopes_aim(enveloped)}


def subscriptions_parts(counts):
    return {"subscriptions": subscriptions(slopes(counts))}


def throughput_parts(measured):
    *timed, last = measured
    return {"throughput": throughput(timed), "rounds": str(len(timed) // 4), "others": f"{last['others']:.0%}"}


BESIDE = ("tegami", "ruststream", "tokio")
PARTS = {
    "messages": (messages_parts, (*BESIDE, "serde_json", "gungraun")),
    "envelopes": (envelopes_parts, ("tegami", "serde_json", "prost", "gungraun")),
    "subscriptions": (subscriptions_parts, (*BESIDE, "serde_json", "gungraun")),
    "throughput": (throughput_parts, (*BESIDE, "serde_json")),
    "rabbitmq": (rabbitmq.parts, (*BESIDE, "lapin", "ruststream-lapin")),
    "aws": (aws.parts, ("tegami", "aws-sdk-sns", "aws-sdk-sqs", "tokio")),
    "web": (web.parts, ("tegami", "axum", "hyper", "tokio")),
    "gate": (gate.parts, ("tegami",)),
    "store": (store.parts, ("tegami", "rusqlite", "sqlx", "tokio")),
    "scale": (scale.parts, ("tegami", "lapin", "aws-sdk-sns", "aws-sdk-sqs", "tokio")),
}
COUNTED = ("messages", "envelopes", "subscriptions")


def keep(part, path):
    measured = lines(path)
    if part in COUNTED:
        measured = list(counted(measured))
    about = {"machine": machine(), "commit": commit(), "versions": versions(part)}
    FIGURES.mkdir(exist_ok=True)
    (FIGURES / f"{part}.json").write_text("".join(json.dumps(line) + "\n" for line in [about, *measured]))


def kept(part):
    """When, where and of what it was measured, and what it becomes in the README."""
    about, *measured = lines(FIGURES / f"{part}.json")
    return about, about["told"] if "told" in about else PARTS[part][0](measured)


def write():
    texts, abouts = {}, []
    for part in PARTS:
        if not (FIGURES / f"{part}.json").exists():
            continue
        about, told = kept(part)
        texts |= told
        abouts.append([part, about["commit"], about["machine"], about["versions"]])
    texts["measured"] = table(["part", "commit", "machine", "versions"], abouts, names=4)
    text = (HERE / "README.template.md").read_text()
    (HERE / "README.md").write_text(re.sub(r"<<(.+?)>>", lambda name: texts.get(name[1], "not measured yet"), text))


# The guide to scaling, with its curves


def filled(text, texts):
    """The text with what stands between <!-- NAME --> and <!-- /NAME --> made anew, where it is known."""
    between = lambda name, inner: f"<!-- {name} -->{inner}<!-- /{name} -->"
    fill = lambda found: between(found[1], texts.get(found[1], found[2]))
    return re.sub(r"<!-- ([a-z ]+) -->(.*?)<!-- /\1 -->", fill, text, flags=re.DOTALL)


QUICKLY = "**(a quick run beside other work: it shows that the command runs, and its figures are worth nothing)** "


def write_scaling(about, measured, to, said_first=""):
    """Pictures beside the guide, and tables into it; TO is where the guide goes."""
    inline = ("scale least", "scale measured")
    texts = scale.parts(measured) | {"scale measured": f"{said_first}{about['machine']}; {about['versions']}; commit {about['commit']}"}
    texts = {name: text if name in inline else f"\n{text}\n" for name, text in texts.items()}
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(filled(SCALING.read_text(), texts))
    for name, drawn in scale.pictures(measured).items():
        folder = to.with_suffix("")
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.svg").write_text(drawn)


def scaling():
    about, *measured = lines(FIGURES / "scale.json")
    write_scaling(about, measured, SCALING)


def proven():
    texts = {name: f"\n{text}\n" for name, text in proof.parts(FIGURES).items()}
    PROOF.write_text(filled(PROOF.read_text(), texts))


match sys.argv[1:]:
    case ["keep", part, path]:
        keep(part, path)
    case ["write"]:
        if (FIGURES / "scale.json").exists():
            scaling()
        proven()
        write()
    case ["scaling"]:
        scaling()
    case ["scaling", path, to]:
        about = {"machine": machine(), "commit": commit(), "versions": versions("scale")}
        write_scaling(about, lines(path), pathlib.Path(to), QUICKLY)
    case words:
        raise SystemExit(f"report.py: keep PART LINES, write, scaling, or scaling LINES OUT; not {' '.join(words)}")
