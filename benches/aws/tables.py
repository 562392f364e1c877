"""Makes the tables of SNS's and SQS's figures; ../report.py puts them into the README, or prints them alone, run in `..`:

    python3 -m aws.tables FIGURES.json
"""

import sys

from brokers import latency, lines, middle, print_parts, scope, speeds, table, verdict

SIDES = {
    "tegami": "tegami, a service",
    "raw": "the SDK, batched alike",
    "raw-1": "the SDK, one by one",
    "tomodachi": "tomodachi",
}
# How the names of operations begin that are called for messages; the rest is called once, by what starts.
FOR_MESSAGES = ("Publish", "Send", "Receive", "Delete", "Change")
SHARE = 0.95
# Calls for a thousand messages.
CALLS = 320


def number(value):
    return f"{value:,.1f}".removesuffix(".0")


def for_messages(line):
    return {name: many for name, many in line["calls"].items() if name.startswith(FOR_MESSAGES)}


def calls(lines, way, unit):
    """Of each side its calls for messages, for so many of what the line counts them by; and all the others."""
    chosen = [line for line in lines if line["way"] == way]
    names = sorted({name for line in chosen for name in for_messages(line)})
    rows = []
    for line in chosen:
        made = for_messages(line)
        others = sum(line["calls"].values()) - sum(made.values())
        amounts = [made.get(name, 0) * unit(line) for name in names]
        rows.append([SIDES[line["side"]], *map(number, [*amounts, sum(amounts), others])])
    return table(["calls", *(f"`{name}`" for name in names), "together", "others, in all"], rows)


def per_thousand(line):
    return 1_000 / line["messages"]


def per_minute(line):
    return 60 / line["seconds"]


def calls_aim(lines):
    line = next(line for line in lines if line["way"] == "calls" and line["side"] == "tegami")
    made = sum(for_messages(line).values()) * per_thousand(line)
    return verdict(made <= CALLS, f"{number(made)} calls for 1,000 messages")


def aim(lines, way):
    share, _ = middle(lines, way)
    return verdict(share >= SHARE, f"{share:.2f}")


def parts(lines):
    """What the template names, and what it becomes."""
    seconds = {line["seconds"] for line in lines if line["way"] in ("idle", "trickle")}
    return {
        "aws calls": calls(lines, "calls", per_thousand),
        "aws calls aim": calls_aim(lines),
        "aws idle": calls(lines, "idle", per_minute),
        "aws trickle": calls(lines, "trickle", per_minute),
        "aws consume": speeds(lines, "consume", SIDES, "the SDK"),
        "aws consume aim": aim(lines, "consume"),
        "aws publish": speeds(lines, "publish", SIDES, "the SDK"),
        "aws publish aim": aim(lines, "publish"),
        "aws latency": latency(lines, SIDES),
        "aws seconds": ", ".join(map(str, sorted(seconds))),
        **scope(lines, "aws"),
    }


if __name__ == "__main__":
    print_parts(parts(lines(sys.argv[1])))
