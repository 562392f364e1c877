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


def by_hand(database):
    """What tegami is held against, and what else is beside it: their sides and what they are called."""
    rusqlite = {"coded": "rusqlite, coded", "bare": "rusqlite, bare"}
    return {"coded": "sqlx, coded", "bare": "sqlx, bare"} if database == "postgres" else {"sqlx": "sqlx, coded", **rusqlite}


def speeds(lines, database):
    """Of each way tegami's speed, those by hand, and its share of them in the same round: of the first how far it goes."""
    (first, name), *others = by_hand(database).items()
    rows = []
    for way, told in WAYS.items():
        sides = by_side(lines, f"{database} {way}")
        if first not in sides:
            return "Not measured yet."
        cells = [f"{statistics.median(map(speed, sides[side].values())):,.0f}" for side in ("tegami", *by_hand(database))]
        share = shares(lines, f"{database} {way}", first)
        cells += [f"{pick(share):.2f}" for pick in PICKS]
        cells += [f"{statistics.median(shares(lines, f'{database} {way}', side)):.2f}" for side, _ in others]
        rows.append([told, *cells])
    head = ["tegami, events a second", *by_hand(database).values(), f"share of {name}: lowest", "median", "highest"]
    return table([DATABASES[database], *head, *(f"of {name}" for _, name in others)], rows)


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
    ways = [(database, way) for database in DATABASES for way in WAYS]
    firsts = {database: next(iter(by_hand(database))) for database in DATABASES}
    if any(firsts[database] not in by_side(lines, f"{database} {way}") for database, way in ways):
        return "Not measured yet."
    lowest = min(statistics.median(shares(lines, f"{database} {way}", firsts[database])) for database, way in ways)
    rusqlite = min(statistics.median(shares(lines, f"{database} {way}", "coded"))
                   for database, way in ways if database != "postgres")
    text = f"the lowest is {lowest:.2f} of sqlx, coded by hand; of rusqlite, coded by hand where it stands, {rusqlite:.2f}"
    return verdict(lowest >= SHARE, text)


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
