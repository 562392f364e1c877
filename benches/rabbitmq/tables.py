"""Makes the tables of RabbitMQ's figures; ../report.py puts them into the README, or prints them alone, run in `..`:

    python3 -m rabbitmq.tables FIGURES.json
"""

import sys

from brokers import latency, lines, middle, print_parts, scope, speeds, verdict

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


def aim(lines, way, least=0):
    share, rate = middle(lines, way)
    return verdict(share >= SHARE and rate >= least, f"{share:.2f}, at {rate:,.0f} a second")


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
    return {
        "rabbitmq consume": speeds(lines, "consume", SIDES, "lapin"),
        "rabbitmq consume aim": aim(lines, "consume", SPEED),
        "rabbitmq publish": speeds(lines, "publish", SIDES, "lapin"),
        "rabbitmq publish aim": aim(lines, "publish"),
        "rabbitmq latency": latency(lines, SIDES),
        "rabbitmq crowd": crowd(lines),
        **scope(lines, "rabbitmq"),
    }


if __name__ == "__main__":
    print_parts(parts(lines(sys.argv[1])))
