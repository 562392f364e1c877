"""What the tables of all brokers' figures have in common."""

import collections
import json
import pathlib
import statistics

PICKS = (min, statistics.median, max)


def lines(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().splitlines()]


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


def speeds(lines, way, names, base):
    """Of each side its speeds, its share of the raw client's in the same round, and what a message cost its process."""
    sides, rows = by_side(lines, way), []
    for side in filter(sides.get, names):
        turns = sides[side]
        values = [speed(line) for line in turns.values()]
        parts = ratios(turns, sides["raw"])
        cpu = statistics.median(line["cpu"] / line["messages"] for line in turns.values()) * 1e6
        cells = [f"{pick(values):,.0f}" for pick in PICKS]
        cells += [f"{pick(parts):.2f}" for pick in PICKS]
        rows.append([names[side], *cells, f"{cpu:.1f} µs"])
    head = ["messages a second", "lowest", "median", "highest", f"of {base}'s: lowest", "median", "highest", "CPU a message"]
    return table(head, rows)


def middle(lines, way):
    """tegami's share of the raw client's speed, and its speed."""
    sides = by_side(lines, way)
    share = statistics.median(ratios(sides["tegami"], sides["raw"]))
    return share, statistics.median(speed(line) for line in sides["tegami"].values())


def verdict(met, text):
    return f"{'Met' if met else 'Not met'}: {text}."


def latency(lines, names):
    sides, rows = by_side(lines, "latency"), []
    for side in ("tegami", "raw"):
        turns = sides[side].values()
        cells = []
        for name in ("p50", "p99"):
            values = [line[name] for line in turns]
            cells += [f"{pick(values):.1f} ms" for pick in PICKS]
        rows.append([names[side], *cells])
    return table(["", "p50: lowest", "median", "highest", "p99: lowest", "median", "highest"], rows)


def scope(lines, name):
    """In how many rounds, and how many messages in each: of most sides, and of the slow one."""
    turns = by_side(lines, "publish")
    many = lambda side: f"{next(iter(turns[side].values()))['messages'] + 1:,}"
    return {f"{name} rounds": str(len(turns["raw"])), f"{name} messages": many("raw"), f"{name} fewer": many("tomodachi")}


def print_parts(parts):
    for name, text in parts.items():
        print(f"{name}:\n{text}\n")
