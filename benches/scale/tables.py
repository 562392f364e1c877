"""Makes tables and pictures of how cost grows; ../report.py puts them into docs/scaling.md, or prints the tables alone, run in
`..`:

    python3 -m scale.tables FIGURES.json
"""

import collections
import statistics
import sys

from brokers import lines, print_parts, table
from scale.pictures import picture

MIB = 1024
IN_MEMORY, ON_RABBITMQ = "in memory", "RabbitMQ"
WAYS = {"apart": "a queue for each", "together": "one queue for all"}
PLACES = {"rabbitmq": "RabbitMQ", "aws": "SNS/SQS emulated"}


def curves(lines, curve, *names):
    """{names of it: {along: lines}} of one curve, whose last name is what it goes along."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    *of, along = names
    for line in lines:
        if line["curve"] == curve:
            found[tuple(line[name] for name in of)][line[along]].append(line)
    return found


def middles(of, value):
    """[(along, median)] of those lines that have a value."""
    points = []
    for along, these in sorted(of.items()):
        values = [value(line) for line in these]
        values = [value for value in values if value is not None]
        if values:
            points.append((along, statistics.median(values)))
    return points


def rate(cost):
    return cost["messages"] / cost["seconds"]


def whole(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def columns(head, first, series):
    """A table of curves: what they go along in the first column, a column for each."""
    found = [dict(points) for points in series]
    rows = []
    for along in sorted({along for points in found for along in points}):
        rows.append([first(along), *(whole(points[along]) if along in points else "–" for points in found)])
    return table(head, rows)


def counts(head, panels):
    """A table of all curves of all panels, which go along a count."""
    return columns(head, lambda count: f"{count:,}", [points for panel in panels.values() for points in panel.values()])


# Messages

BACKLOG = ["backlog", "MiB: in memory, queue included", "RabbitMQ, the service", "handled a second: in memory", "RabbitMQ",
           "published a second: in memory", "RabbitMQ"]


def backlog(lines):
    of = curves(lines, "backlog", "transport", "backlog")
    here, there = of["memory",], of["rabbitmq",]
    return {
        "memory": {
            f"{IN_MEMORY}, with the queue": middles(here, lambda line: line["full"] / MIB),
            f"{ON_RABBITMQ}, the service alone": middles(there, lambda line: line["peak"] / MIB),
        },
        "rate": {
            f"handled, {IN_MEMORY}": middles(here, lambda line: rate(line["handle"])),
            f"handled, {ON_RABBITMQ}": middles(there, lambda line: rate(line["handle"])),
        },
        "publish": {
            f"published, {IN_MEMORY}": middles(here, lambda line: rate(line["publish"])),
            f"published, {ON_RABBITMQ}": middles(there, lambda line: rate(line["publish"])),
        },
    }


def backlog_picture(lines):
    of, across = backlog(lines), "messages that wait"
    return picture("Memory and speed with a backlog of messages", [
        {"title": "MiB resident", "across": across, "series": of["memory"], "log": (True, True)},
        {"title": "messages a second", "across": across, "series": of["rate"]},
    ])


# Subscriptions

SUBSCRIPTIONS = ["subscriptions", "ms to start: in memory", "RabbitMQ, queues there", "RabbitMQ, queues made",
                 "MiB: in memory", "RabbitMQ", "µs a delivery, all want it: in memory", "RabbitMQ",
                 "µs a message, one wants it: in memory"]


def subscriptions(lines):
    of = curves(lines, "subscriptions", "transport", "who", "subscriptions")
    here, one, there = of["memory", "all"], of["memory", "one"], of["rabbitmq", "all"]
    first, second = (lambda line, wanted=number: line["start"] * 1000 if line["round"] == wanted else None for number in (1, 2))
    each = lambda line: line["seconds"] / line["deliveries"] * 1e6
    return {
        "start": {
            IN_MEMORY: middles(here, lambda line: line["start"] * 1000),
            f"{ON_RABBITMQ}, queues are there": middles(there, second),
            f"{ON_RABBITMQ}, queues are made": middles(there, first),
        },
        "memory": {
            IN_MEMORY: middles(here, lambda line: line["memory"] / MIB),
            ON_RABBITMQ: middles(there, lambda line: line["memory"] / MIB),
        },
        "cost": {
            f"a delivery, all want it, {IN_MEMORY}": middles(here, each),
            f"a delivery, all want it, {ON_RABBITMQ}": middles(there, each),
            f"a message, one wants it, {IN_MEMORY}": middles(one, each),
        },
    }


def subscriptions_picture(lines):
    of, across, log = subscriptions(lines), "subscriptions of the service", (True, True)
    return picture("Start, memory and cost of a service with many subscriptions", [
        {"title": "ms until it has started", "across": across, "series": of["start"], "log": log},
        {"title": "MiB resident after the start", "across": across, "series": of["memory"], "log": log},
        {"title": "µs", "across": across, "series": of["cost"], "log": log},
    ])


# Events

EVENTS = ["events", "ms to start: a queue for each", "one queue for all", "MiB: a queue for each", "one queue for all",
          "µs a message: a queue for each", "one queue for all"]


def events(lines):
    of = curves(lines, "events", "way", "events")
    named = lambda value: {name: middles(of[way,], value) for way, name in WAYS.items()}
    return {
        "start": named(lambda line: line["start"] * 1000),
        "memory": named(lambda line: line["memory"] / MIB),
        "cost": named(lambda line: line["seconds"] / line["messages"] * 1e6),
    }


def events_picture(lines):
    of, across = events(lines), "events that the service handles"
    return picture("Start, memory and cost of a service with many types of events", [
        {"title": "ms until it has started", "across": across, "series": of["start"], "log": (True, True)},
        {"title": "MiB resident after the start", "across": across, "series": of["memory"], "log": (True, True)},
        {"title": "µs a message, publish to ack", "across": across, "series": of["cost"]},
    ])


# Replicas


def replicas(lines, transport):
    of = curves(lines, "replicas", "transport", "takes", "replicas")
    speed = lambda line: line["messages"] * 10 / line["ticks"] if "ticks" in line else None
    least = lambda line: line.get("least")
    found = {takes: of[key] for key in sorted(of) for takes in key[1:] if key[0] == transport}
    return {takes: (middles(points, speed), middles(points, least)) for takes, points in found.items()}


def taking(takes):
    return f"a handler takes {takes} ms" if takes else "a handler takes no time"


def replicas_table(lines):
    head, series = ["replicas"], []
    for transport, place in PLACES.items():
        for takes, (speeds, _) in replicas(lines, transport).items():
            head.append(f"{place}: {taking(takes)}")
            series.append(speeds)
    return columns(head, str, series)


def least(lines):
    """What the least busy replica did, of an even share, at worst."""
    shares = [share for transport in PLACES for _, of in replicas(lines, transport).values() for _, share in of]
    return f"{min(shares):.2f}"


def replicas_picture(lines):
    panels = []
    for transport, place in PLACES.items():
        of = {taking(takes): speeds for takes, (speeds, _) in replicas(lines, transport).items()}
        slow = list(of)[-1]
        ticks = [count for count, _ in of[slow]]
        panels.append({"title": f"messages a second, {place}", "across": "replicas on one queue", "series": of,
                       "log": (False, True), "ticks": ticks, "even": slow})
    return picture("Messages a second with replicas on one queue", panels)


def parts(lines):
    """What docs/scaling.md names, and what it becomes."""
    return {
        "scale backlog": counts(BACKLOG, backlog(lines)),
        "scale subscriptions": counts(SUBSCRIPTIONS, subscriptions(lines)),
        "scale events": counts(EVENTS, events(lines)),
        "scale replicas": replicas_table(lines),
        "scale least": least(lines),
    }


def pictures(lines):
    """Each picture by its name."""
    drawn = {"backlog": backlog_picture, "subscriptions": subscriptions_picture, "events": events_picture,
             "replicas": replicas_picture}
    return {name: draw(lines) for name, draw in drawn.items()}


if __name__ == "__main__":
    print_parts(parts(lines(sys.argv[1])))
