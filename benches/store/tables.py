"""Makes the tables of the databases' figures; ../report.py puts them into the README, or prints them alone, run in `..`:

    python3 -m store.tables FIGURES.json
"""

import statistics
import sys

from brokers import PICKS, by_side, lines, print_parts, ratios, speed, table, verdict

WAYS = {
    "append": "append, one event after the other",
    "append at once": "append, 16 at once",
    "append many": "append, 100 events each",
    "read": "read a stream of 100 events",
    "find": "find by type, 500 events a page",
}
DATABASES = {
    "sqlite": "SQLite",
    "sqlite-process": "SQLite, `Durability::Process`",
    "postgres": "PostgreSQL",
}
OUTBOXES = {"none": "published at once", "sqlite": "outbox in SQLite", "postgres": "outbox in PostgreSQL"}
SHARE = 0.9


def shares(lines, way, base):
    sides = by_side(lines, way)
    return ratios(sides["tegami"], sides[base])


def speeds(lines, database):
    """Of each way tegami's speed, those by hand, and its share of them in the same round."""
    rows = []
    for way, told in WAYS.items():
        sides = by_side(lines, f"{database} {way}")
        middle = [statistics.median(map(speed, sides[side].values())) for side in ("tegami", "coded", "bare")]
        coded, bare = (shares(lines, f"{database} {way}", base) for base in ("coded", "bare"))
        cells = [f"{value:,.0f}" for value in middle]
        cells += [*(f"{pick(coded):.2f}" for pick in PICKS), f"{statistics.median(bare):.2f}"]
        rows.append([told, *cells])
    head = ["events a second", "by hand, coded", "by hand, bare"]
    return table([DATABASES[database], *head, "share of coded: lowest", "median", "highest", "of bare"], rows)


def peers(lines):
    """tegami beside another event store; of what was measured before there was one, it says so."""
    rows = []
    for way, told in WAYS.items():
        sides = by_side(lines, f"postgres {way}")
        if "cqrs-es" not in sides:
            continue
        middle = [statistics.median(map(speed, sides[side].values())) for side in ("tegami", "cqrs-es")]
        cpu = [statistics.median(line["cpu"] / line["messages"] for line in sides[side].values()) * 1e6
               for side in ("tegami", "cqrs-es")]
        times = ratios(sides["tegami"], sides["cqrs-es"])
        cells = [f"{value:,.0f}" for value in middle] + [f"{pick(times):.2f}" for pick in PICKS]
        rows.append([told, *cells, *(f"{value:,.0f} µs" for value in cpu)])
    head = ["PostgreSQL", "tegami", "cqrs-es", "times as fast: lowest", "median", "highest", "processor an event: tegami", "cqrs-es"]
    return table(head, rows) if rows else "Not measured yet."


def aim(lines):
    middles = {base: min(statistics.median(shares(lines, f"{database} {way}", base))
                         for database in DATABASES for way in WAYS) for base in ("coded", "bare")}
    text = f"the lowest is {middles['coded']:.2f} of what is coded by hand, and {middles['bare']:.2f} of the bare statements"
    return verdict(middles["coded"] >= SHARE, text)


def relay(lines):
    sides, rows = by_side(lines, "relay"), []
    for side, told in OUTBOXES.items():
        values = [speed(line) for line in sides[side].values()]
        parts = [speed(line) / speed(sides["none"][number]) for number, line in sides[side].items()]
        rows.append([told, *(f"{pick(values):,.0f}" for pick in PICKS), f"{statistics.median(parts):.2f}"])
    return table(["messages a second", "lowest", "median", "highest", "of that at once"], rows)


def latency(lines):
    sides, rows = by_side(lines, "latency"), []
    for side, told in OUTBOXES.items():
        turns, cells = sides[side], []
        for name in ("p50", "p99"):
            values = [line[name] for line in turns.values()]
            added = statistics.median(line[name] - sides["none"][number][name] for number, line in turns.items())
            cells += [*(f"{pick(values):.1f} ms" for pick in PICKS), f"{added:.1f} ms"]
        rows.append([told, *cells])
    head = ["", "p50: lowest", "median", "highest", "added", "p99: lowest", "median", "highest", "added"]
    return table(head, rows)


def rebuild(lines):
    rows = []
    for line in lines:
        if line["way"] == "rebuild" and line["side"] == "rebuild":
            bare = next(other for other in lines if other["way"] == "rebuild" and other["side"] == "bare"
                        and other["events"] == line["events"])
            memory = f"{line['peak'] / 1024:.1f} MiB"
            cells = [f"{line['rate']:,.0f}", f"{bare['rate']:,.0f}", f"{line['rate'] / bare['rate']:.2f}", memory]
            rows.append([f"{line['events']:,} events", *cells])
    return table(["", "events a second", "by hand", "share", "memory, at most"], rows)


def parts(lines):
    """What the template names, and what it becomes."""
    tables = {f"store {database}": speeds(lines, database) for database in DATABASES}
    rounds = str(len(by_side(lines, "relay")["none"]))
    tables["store peers"] = peers(lines)
    return tables | {"store aim": aim(lines), "store rounds": rounds, "store relay": relay(lines),
                     "store latency": latency(lines), "store rebuild": rebuild(lines)}


if __name__ == "__main__":
    print_parts(parts(lines(sys.argv[1])))
