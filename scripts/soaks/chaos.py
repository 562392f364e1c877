"""scripts/soak chaos: tests/chaos, and all that it started ended, whatever comes."""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile

import peers

from .common import CHECKED, ROOT, add_figures_to, keep, made, natural, positive

# The chaos: seconds of faults by transport, of ten minutes, and what the short form has instead.
SECONDS = {"amqp": 240, "aws": 120}
QUICK_SECONDS, QUICK_FAULTS, QUICK_RATE = 56, 8, 60
# Messages a second where two are put side by side, and where processes are killed one upon the other.
PEER_RATE, KILLS_RATE = 60, 120
# How long a run that is told to end may take for its servers.
ENDS = 120
# What one ends with that was told to, as shells have it.
INTERRUPTED = 130
BROKEN = ("ack-first", "effect-beside", "publish-beside")
# What is put side by side: a name, and the figure.
ROWS = [
    ("published, answered", lambda r: r["published"]),
    ("handled at least once", lambda r: r["handled"]),
    ("dead letters, kept with their reason", lambda r: r["dead"]),
    ("lost", lambda r: r["figures"]["lost"]),
    ("of these, what nobody can read", lambda r: r["poison_lost"]),
    ("left in queues at the end", lambda r: r["left"]),
    ("out of order", lambda r: r["figures"]["order"]),
    ("handled again", lambda r: r["duplicates"]),
    ("faults", lambda r: len(r["faults"])),
    ("seconds of faults", lambda r: round(r["seconds_of_faults"])),
    ("processes killed", lambda r: r["kills"]),
    ("processes that ended by themselves", lambda r: r["ended"]),
    ("stops within their bound", lambda r: f"{r['stops_kept']} of {r['stops']}"),
]
WHY = """
tomodachi acks a message whose handler failed, and what it cannot read: any exception but AmqpInternalServiceError does so. It
publishes without confirms and without persistence, so that `published, answered` means there: written to a socket. A
consumer whose connection ends goes on without one; here such a process ended itself, and was started again. Order is not
promised there. It breaks no promise of its own here: it makes none of these."""


def add_to(parts):
    chaos = parts.add_parser("chaos", help="tests/chaos: real processes, a real broker and database, and a nemesis")
    chaos.add_argument("--seed", type=natural, metavar="N", help="what decides on all (default: another each time)")
    form = chaos.add_mutually_exclusive_group()
    form.add_argument("--minutes", type=positive, default=10, metavar="N", help="how long, about (default: 10)")
    form.add_argument("--quick", action="store_true", help=f"{QUICK_FAULTS} faults in 90 seconds, on RabbitMQ")
    form.add_argument("--kills", type=positive, metavar="N", help="only kills, at each crash point and at any moment, on RabbitMQ")
    chaos.add_argument("--transports", type=transports, metavar="A,B", help=f"of {', '.join(SECONDS)} (default: all; with --quick: amqp)")
    chaos.add_argument("--rate", type=positive, metavar="N", help="messages a second (default: 70 %% of what is held without faults)")
    add_figures_to(chaos)
    chaos.add_argument("--peer", choices=["tomodachi"], help="whose services to put beside; on RabbitMQ, without a database")
    chaos.add_argument("--break", choices=BROKEN, dest="broken", help="what is wrong with the consumers")
    chaos.add_argument("--release", action="store_true", help="with the release profile")
    chaos.set_defaults(run=rage)


def transports(text):
    names = text.split(",")
    if unknown := set(names) - set(SECONDS):
        raise argparse.ArgumentTypeError(f"there is no {', '.join(sorted(unknown))}: of {', '.join(SECONDS)}")
    return names


def rage(parser, asked):
    if asked.kills and (asked.peer or asked.transports not in (None, ["amqp"])):
        parser.error("--kills is for tegami on RabbitMQ")
    if asked.peer:
        peers.python()
    binary = made(CHECKED, ["chaos"], not asked.release)["chaos"]
    seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    print(f"   seed {seed}", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"tegami-chaos-{seed}-"))
    reports, worst = [], 0
    for whose in ("plain", "tomodachi") if asked.peer else ("tegami",):
        figures = folder / f"{whose}.json"
        code = raged(binary, wish(asked, seed, whose, folder / whose, figures))
        worst = max(worst, code)
        if figures.exists():
            reports += json.loads(figures.read_text())
        if code > 1:
            break
    if asked.peer:
        worst = max(worst, 0 if are_alike(reports) else 1)
    if asked.figures and reports and (not asked.peer or worst == 0):
        part = "peer" if asked.peer else "kills" if asked.kills else "chaos"
        keep(asked.figures, part, {"optimised": asked.release, "runs": reports})
    if worst in (0, INTERRUPTED):
        shutil.rmtree(folder)
    return min(worst, 2)


def wish(asked, seed, whose, folder, figures):
    """What tests/chaos reads."""
    named = ["amqp"] if asked.quick or asked.kills or asked.peer else list(SECONDS)
    chosen = asked.transports or named
    phases = [{"way": way, "seconds": QUICK_SECONDS, "faults": QUICK_FAULTS} for way in chosen]
    if not asked.quick:
        parts = {way: SECONDS[way] * asked.minutes // 10 for way in chosen}
        phases = [{"way": way, "seconds": seconds, "faults": 10_000} for way, seconds in parts.items()]
    rate = asked.rate or (QUICK_RATE if asked.quick else KILLS_RATE if asked.kills else PEER_RATE if asked.peer else None)
    again = [word for word in sys.argv[1:]] + ([] if asked.seed is not None else ["--seed", str(seed)])
    return {"seed": seed, "phases": phases, "whose": whose, "kills": asked.kills, "rate": rate, "folder": str(folder),
            "figures": str(figures), "broken": asked.broken, "replay": " ".join(["scripts/soak", *again])}


def raged(binary, wish):
    """Runs it, and ends all that it started, whatever comes."""
    command = [binary, "chaos", "--exact", "--ignored", "--nocapture"]
    running = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "CHAOS": json.dumps(wish), "RUST_BACKTRACE": "0"}, start_new_session=True
    )
    # Whoever ends this by a signal ends that too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        code = running.wait()
        return code if code in (0, 1) else 2
    except (KeyboardInterrupt, SystemExit):
        running.terminate()
        try:
            running.wait(ENDS)
        except subprocess.TimeoutExpired:
            print("it does not end by itself", file=sys.stderr)
        return INTERRUPTED
    finally:
        try:
            os.killpg(running.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def are_alike(reports):
    """Puts two runs side by side; did the same happen to both?"""
    if len(reports) < 2:
        return False
    beside(reports)
    ours, theirs = (len(report["faults"]) for report in reports)
    if ours != theirs:
        print(f"\n{theirs} faults are not the same as {ours}: the second run ended early")
    return ours == theirs


def beside(reports):
    print(f"\n{'':40}{'tegami':>12}{'tomodachi':>12}")
    for name, figure in ROWS:
        print(f"{name:40}" + "".join(f"{figure(report):>12}" for report in reports))
    print(WHY)
