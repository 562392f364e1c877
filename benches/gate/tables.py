"""Makes the table of the gate's figures; ../report.py puts it into the README, or prints it alone, run in `..`:

    python3 -m gate.tables FIGURES.json
"""

import collections
import sys

from brokers import PICKS, lines, print_parts, table

SIDES = {"tegami": "`tegami contracts check`", "buf": "`buf breaking`, rules `WIRE_JSON`"}


def costs(lines):
    turns = collections.defaultdict(list)
    for line in lines:
        turns[line["side"]].append(line)
    rows = []
    for side, chosen in turns.items():
        seconds = [f"{pick([line['seconds'] for line in chosen]):.2f} s" for pick in PICKS]
        memory = f"{PICKS[1]([line['memory'] for line in chosen]) / 2**20:,.0f} MiB"
        rows.append([SIDES[side], *seconds, memory])
    return table(["", "lowest", "median", "highest", "memory, at most"], rows)


def parts(lines):
    """What the template names, and what it becomes."""
    return {"gate": costs(lines), "gate rounds": str(1 + max(line["round"] for line in lines))}


if __name__ == "__main__":
    print_parts(parts(lines(sys.argv[1])))
