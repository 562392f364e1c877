"""Makes the tables of RabbitMQ's figures; ../report.py puts them into the README, or prints them alone:

    tables.py FIGURES.json
"""

import collections
import json
import pathlib
import statistics
import sys

SIDES = {
    "tegami": "tegami, a service",
    "tegami-all": "tegami, `publish_all`",
    "transport": "tegami, the transport alone",
    "raw": "lapin",
    "raw-256": "lapin, 256 at once",
    "raw-100": "lapin, one ack for 100",
    "ruststream": "ruststream-lapin",
    "tomodachi": "tomodachi",
}
SHARE = 0.95
# Handled a second.
SPEED = 40_000


def table(head, rows):
    marks = [":--"] + ["--:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, marks, *rows])


def by_side(lines, way):
    """{side: {round: line}}"""
    sides = collections.defaultdict(dict)
    for line in lines:
        if line["way"] == way:
            sides[line["side"]][line["round"]] = line
    return sides


def speed(line):
    return line["messages"] / line["seconds"]


def ratios(turns, base):
    return [speed(line) / speed(base[number]) for number, line in turns.items()]


def speeds(lines, way):
    """Of each side its speeds, its share of lapin's in the same round, and what a message cost its process."""
    sides, rows = by_side(lines, way), []
    for side in filter(sides.get, SIDES):
        turns = sides[side]
        values = [speed(line) for line in turns.values()]
        parts = ratios(turns, sides["raw"])
        cpu = statistics.median(line["cpu"] / line["messages"] for line in turns.values()) * 1e6
        cells = [f"{pick(values):,.0f}" for pick in (min, statistics.median, max)]
        cells += [f"{pick(parts):.2f}" for pick in (min, statistics.median, max)]
        rows.append([SIDES[side], *cells, f"{cpu:.1f} µs"])
    head = ["messages a second", "lowest", "median", "highest", "of lapin's: lowest", "median", "highest", "CPU a message"]
    return table(head, rows)


def aim(lines, way, least=0):
    sides = by_side(lines, way)
    share = statistics.median(ratios(sides["tegami"], sides["raw"]))
    rate = statistics.median(speed(line) for line in sides["tegami"].values())
    met = share >= SHARE and rate >= least
    return f"{'Met' if met else 'Not met'}: {share:.2f}, at {rate:,.0f} a second."


def latency(lines):
    sides, rows = by_side(lines, "latency"), []
    for side in ("tegami", "raw"):
        turns = sides[side].values()
        cells = []
        for name in ("p50", "p99"):
            values = [line[name] for line in turns]
            cells += [f"{pick(values):.1f} ms" for pick in (min, statistics.median, max)]
        rows.append([SIDES[side], *cells])
    return table(["", "p50: lowest", "median", "highest", "p99: lowest", "median", "highest"], rows)


def crowd(lines):
    line = next(line for line in lines if line["way"] == "crowd")
    mib = lambda size: f"{size / 2**20:.0f} MiB"
    limit = "No limit could be set on this machine."
    if line["limit"]:
        limit = f"The limit is a memory cgroup of {mib(line['limit'])}, of which it took {mib(line['used'])} at most."
    return (f"With {line['queued']:,} messages queued it handled {line['handled']:,} and ended in good order; it had "
            f"{mib(line['peak'] * 1024)} resident at most. {limit}")


def parts(lines):
    """What the template names, and what it becomes."""
    turns = by_side(lines, "publish")
    return {
        "rabbitmq consume": speeds(lines, "consume"),
        "rabbitmq consume aim": aim(lines, "consume", SPEED),
        "rabbitmq publish": speeds(lines, "publish"),
        "rabbitmq publish aim": aim(lines, "publish"),
        "rabbitmq latency": latency(lines),
        "rabbitmq crowd": crowd(lines),
        "rabbitmq rounds": str(len(turns["raw"])),
        "rabbitmq messages": f"{next(iter(turns['raw'].values()))['messages'] + 1:,}",
        "rabbitmq fewer": f"{next(iter(turns['tomodachi'].values()))['messages'] + 1:,}",
    }


if __name__ == "__main__":
    lines = [json.loads(line) for line in pathlib.Path(sys.argv[1]).read_text().splitlines()]
    for name, text in parts(lines).items():
        print(f"{name}:\n{text}\n")
