"""Makes the tables of HTTP's figures; ../report.py puts them into the README, or prints them alone, run in `..`:

    python3 -m web.tables FIGURES.json

(Not `http`: Python has a package of that name.)
"""

import collections
import statistics
import sys

from brokers import PICKS, by_side, lines, print_parts, table, verdict

SIDES = {"tegami": "tegami", "axum": "axum", "axum-nodelay": "axum, `TCP_NODELAY`", "tomodachi": "tomodachi"}
SHARE = 0.97
# A good client's p99 beside bad ones, of what it is alone.
BESIDE = 2


# Sends what it writes at once, as tegami does.
LIKE = "axum-nodelay"


def shares(sides, side, of="axum"):
    """Its share of the other's speed, in each round that both had a turn in."""
    both = sides[side].keys() & sides[of].keys()
    return [sides[side][number]["speed"] / sides[of][number]["speed"] for number in both]


def milliseconds(turns, name):
    return [f"{pick([line[name] for line in turns if name in line]):.2f} ms" for pick in PICKS]


def speeds(lines, way):
    """Of each side its speeds, its share of axum's in the same round, and its p99."""
    sides, rows = by_side(lines, way), []
    for side in filter(sides.get, SIDES):
        turns = sides[side].values()
        cells = [f"{pick([line['speed'] for line in turns]):,.0f}" for pick in PICKS]
        cells += [f"{pick(shares(sides, side)):.2f}" for pick in PICKS]
        cells.append(f"{statistics.median(shares(sides, side, LIKE)):.2f}")
        rows.append([SIDES[side], *cells, *milliseconds(turns, "p99")])
    head = [way, "a second: lowest", "median", "highest", "of axum's: lowest", "median", "highest", "of that at once"]
    return table([*head, "p99: lowest", "median", "highest"], rows)


def aim(lines, of):
    medians = {way: statistics.median(shares(by_side(lines, way), "tegami", of)) for way in ("HTTP/1.1", "HTTP/2")}
    told = " and ".join(f"{median:.2f} with {way}" for way, median in medians.items())
    return verdict(min(medians.values()) >= SHARE, told)


def beside_aim(lines, way):
    turns = by_side(lines, way)["tegami"].values()
    ratio = statistics.median(line["beside"] / line["alone"] for line in turns)
    first = "" if all(line.get("first") for line in turns) else ", among all else that ran"
    return verdict(ratio <= BESIDE, f"{ratio:.2f}, beside {min(line['clients'] for line in turns)} of them{first}")


def beside(lines, way):
    sides = by_side(lines, way)
    rows = [[SIDES[side], *milliseconds(turns.values(), "alone"), *milliseconds(turns.values(), "beside")]
            for side, turns in sides.items()]
    return table(["p99", "alone: lowest", "median", "highest", "beside them: lowest", "median", "highest"], rows)


def idle(lines):
    turns = collections.defaultdict(list)
    for line in lines:
        if line["way"] == "idle":
            turns[line["side"], line["transport"]].append(line)
    rows = []
    for (side, transport), chosen in turns.items():
        ready = [f"{pick([line['ready'] * 1000 for line in chosen]):,.0f} ms" for pick in PICKS]
        resident = [f"{pick([line['resident'] for line in chosen]) / 2**20:.1f} MiB" for pick in PICKS]
        rows.append([f"{SIDES[side]}, {transport}", *ready, *resident])
    return table(["", "ready: lowest", "median", "highest", "resident: lowest", "median", "highest"], rows)


def parts(lines):
    """What the template names, and what it becomes."""
    return {
        "http aim": aim(lines, LIKE),
        "http aim of any": aim(lines, "axum"),
        "http 1": speeds(lines, "HTTP/1.1"),
        "http 2": speeds(lines, "HTTP/2"),
        "http rounds": str(len(by_side(lines, "HTTP/1.1")["axum"])),
        "http few": str(len(by_side(lines, "HTTP/1.1")["tomodachi"])),
        "http slow aim": beside_aim(lines, "slow"),
        "http slow": beside(lines, "slow"),
        "http attacked aim": beside_aim(lines, "attacked"),
        "http attacked": beside(lines, "attacked"),
        "http idle": idle(lines),
    }


if __name__ == "__main__":
    print_parts(parts(lines(sys.argv[1])))
