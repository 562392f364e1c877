"""Has the sides take turns at events in databases and at messages through an outbox, and prints what each turn cost, a line of
JSON for each; scripts/bench calls it.

    POSTGRES_URL=… AMQP_URL=… rounds.py PROGRAM PROJECTIONS PEERS ROUNDS APPENDS STREAMS MESSAGES EVENTS
"""

import json
import os
import subprocess
import sys
import tempfile

PROGRAM, PROJECTIONS, PEERS = sys.argv[1:4]
ROUNDS, APPENDS, STREAMS, MESSAGES, EVENTS = map(int, sys.argv[4:9])
DATABASES = ("sqlite", "sqlite-process", "postgres")
# How many appends, how many at once, of how many events each.
WAYS = {
    "append": ("append", APPENDS, 1, 1),
    "append at once": ("append", APPENDS, 16, 1),
    "append many": ("append", APPENDS // 10, 1, 100),
    "read": ("read", STREAMS),
    "find": ("find", STREAMS),
}
# What another event store does of it, on PostgreSQL.
BESIDE = ("append", "append at once", "read")
# Messages of a walk: 200 a second, of which the first hundred are not counted.
WALK = max(300, MESSAGES // 20)
# A tenth of the events must take as much memory as all.
TENTH = 10


def told(*command, **extra):
    said = subprocess.run([str(word) for word in command], env=os.environ | extra, stdout=subprocess.PIPE, text=True,
                          check=True, timeout=1200).stdout
    return json.loads(said)


def tell(**line):
    print(json.dumps(line), flush=True)


# tegami's, the statements by hand, and the same with all that is coded; beside them one of the peers.
SIDES = ("tegami", "bare", "coded")


def peer(database, way):
    """cqrs-es on PostgreSQL, or sqlx on a file of SQLite's that tegami has made and filled."""
    if database == "postgres":
        return told(PEERS, "cqrs-es", *WAYS[way])
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "events.db")
        subprocess.run([PROGRAM, "fill", file, "0" if way.startswith("append") else str(STREAMS)], check=True, timeout=1200)
        durability = "process" if database.endswith("process") else "power"
        return told(PEERS, "sqlx", *WAYS[way], SQLITE_FILE=file, SQLITE_DURABILITY=durability)


def sides(database, way):
    """Who does it: a name, and what each does."""
    program = {side: lambda side=side: told(PROGRAM, WAYS[way][0], database, side, *WAYS[way][1:]) for side in SIDES}
    if database != "postgres" or way in BESIDE:
        program["cqrs-es" if database == "postgres" else "sqlx"] = lambda: peer(database, way)
    return program


def turns(number):
    """The sides of a way take turns to be first."""
    for database in DATABASES:
        for way in WAYS:
            programs = list(sides(database, way).items())
            first = number % len(programs)
            for side, program in programs[first:] + programs[:first]:
                tell(round=number, way=f"{database} {way}", side=side, **program())
    for database in ("none", "sqlite", "postgres"):
        tell(round=number, way="relay", side=database, **told(PROGRAM, "publish", database, MESSAGES))
        tell(round=number, way="latency", side=database, **told(PROGRAM, "latency", database, WALK))


def rebuilds(number):
    """The first leaves its file for the others."""
    for events in (EVENTS // TENTH, EVENTS):
        for side, keep in (("fill", True), ("rebuild", True), ("bare", False)):
            answer = told(PROJECTIONS, side, events, **({"KEEP": "1"} if keep else {}))
            if answer:
                tell(round=number, way="rebuild", side=side, **answer)


for number in range(1, ROUNDS + 1):
    print(f"   round {number} of {ROUNDS}", file=sys.stderr)
    turns(number)
rebuilds(1)
