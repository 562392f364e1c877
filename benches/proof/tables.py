"""Makes the table of docs/proof.md of what was measured; ../report.py puts it there."""

import collections
import json
import pathlib
import re
import statistics

from brokers import by_side, speed

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HEAD = ["what", "aim", "measured", "by"]


def rows(figures):
    """A row for each figure; `figures` is the folder of what was measured."""
    told = lambda name: [json.loads(line) for line in (figures / f"{name}.json").read_text().splitlines()]
    whole = lambda name: json.loads((figures / f"{name}.json").read_text())
    for name, read, by, make in (
        ("rabbitmq", told, "scripts/bench amqp", rabbitmq),
        ("chaos", whole, "scripts/soak chaos --figures", chaos),
        ("kills", whole, "scripts/soak chaos --kills 500 --figures", kills),
        ("simulation", whole, "scripts/soak simulation --figures", simulation),
        ("fuzz", whole, "scripts/fuzz --figures", fuzz),
        ("web", told, "scripts/bench http", web),
        ("peer", whole, "scripts/soak chaos --peer tomodachi --figures", peer),
    ):
        path = figures / f"{name}.json"
        measured = list(make(read(name))) if path.exists() else []
        for what, aim, figure in measured or [(f"`{by}`", "", "not measured yet")]:
            yield [what, aim, figure, f"`{by}`"]
    for what, aim, figure in checked():
        yield [what, aim, f"{figure}: it fails at one", "`scripts/check`"]


def rabbitmq(lines):
    about, *lines = lines
    if "told" in about:
        return
    held = lambda way: statistics.median(map(speed, by_side(lines, way)["tegami"].values()))
    yield "confirmed publishes a second, 1 KiB, persistent", "", f"{held('publish'):,.0f}"
    yield "handled a second, 1 KiB, quorum queue", "", f"{held('consume'):,.0f}"
    turns = by_side(lines, "latency")["tegami"].values()
    p50, p99 = (statistics.median(line[name] for line in turns) for name in ("p50", "p99"))
    yield "publish to handler at 500 a second, p50 and p99", "", f"{p50:.1f} ms, {p99:.1f} ms"
    crowd = next(line for line in lines if line["way"] == "crowd")
    measured = f"{crowd['used'] / 2**20:.0f} MiB at most" if crowd["limit"] else "no limit could be set there"
    yield f"memory with {crowd['queued']:,} messages queued, in a limit of 128 MiB", "survives", measured


# What the ledger's checker counts, and what each is.
WRONGS = {
    "lost": "taken, and never completed nor dead-lettered",
    "phantom": "handled, and never published",
    "ghost": "handled, although its publish said that it was not stored",
    "corrupt": "handled with other bytes",
    "order": "completed before an earlier one of its key",
    "atomicity": "published without its transaction, or not published with it",
    "effects": "effects of transactions that are not there exactly once",
}


def chaos(kept):
    runs = kept["runs"]
    summed = lambda name: sum(run[name] for run in runs)
    kinds = {kind for run in runs for kind in run["kinds"]}
    seeds = sorted({run["seed"] for run in runs})
    faults = sum(len(run["faults"]) for run in runs)
    where = " and ".join(run["broker"] for run in runs)
    amount = f"{summed('published'):,} / {faults} / {len(kinds)} on {where} (seed {', '.join(map(str, seeds))})"
    yield "messages / faults / kinds of faults", "200,000 / 45 / 20", amount
    built = "optimised" if kept["optimised"] else "built as tests are, without optimisation"
    for run in runs:
        of = f" of {run['held']:,}" if run["held"] else ""
        held = f"{run['rate']:,}{of}, {built}"
        yield f"messages a second meanwhile, of those held without faults, {run['broker']}", "70 %", held
    for name, what in WRONGS.items():
        yield f"{name}: {what}", "0", f"{sum(run['figures'][name] for run in runs):,}"
    for run in runs:
        again = f"{run['duplicates']:,} of {run['handled']:,}, {run['duplicates_share']:.2%}{most(run.get('duplicates_by', {}))}"
        yield f"handled again, {run['broker']}", "below 1 %", again
    for run in filter(lambda run: run["restarts"], runs):
        recovery = f"{run['recovery_median']:.2f} s / {run['recovery_most']:.2f} s ({run['restarts']} restarts)"
        yield f"until a message is handled again after a restart of {run['broker']}, median / most", "2 s / 5 s", recovery
    stops = f"{summed('stops_kept')} of {summed('stops')}, {summed('stops_drained')} drained"
    yield "stops within their bound", "all", stops


def most(by_fault):
    """After which kinds of faults there was most of it: they are named `3: deletes pretended`, or `3: road cut (publisher)`."""
    kinds = collections.Counter()
    for fault, count in by_fault.items():
        kinds[fault.split(": ")[-1].split(" (")[0]] += count
    return "".join(f"; {count} after {kind}" for kind, count in kinds.most_common(3))


def kills(kept):
    (run,) = kept["runs"]
    lost, doubled = run["figures"]["lost"], run["figures"]["effects"]
    points = run["points"].values()
    killed = f"{run['kills']:,}: {lost}, {doubled} (seed {run['seed']}; {run['kills'] - sum(points):,} by SIGKILL at any moment)"
    yield "processes killed one upon the other: lost, doubled", "500: 0, 0", killed
    ended = f"{len(points)}: {min(points)} to {max(points)}" if points else "none"
    yield "of these, at crash points: ends at each", "20 each", ended


def simulation(kept):
    yield "seeds simulated, each twice: failures", "100,000: 0", f"{kept['seeds']:,}: {kept['failures']}"


def fuzz(kept):
    inputs = sum(target["inputs"] for target in kept["targets"])
    found = sum(target["failed"] for target in kept["targets"])
    what = f"inputs fuzzed in {len(kept['targets'])} targets, {kept['seconds']} s each: targets that found something"
    yield what, "0", f"{inputs:,}: {found}"


def web(lines):
    for way, who in (("slow", "slow ones"), ("attacked", "attacks on HTTP/2 and WebSockets")):
        turns = by_side(lines[1:], way)["tegami"].values()
        ratio = statistics.median(line["beside"] / line["alone"] for line in turns)
        clients = min(line["clients"] for line in turns)
        yield f"a good client's p99 beside {clients:,} {who}, of what it is alone", "2 at most", f"{ratio:.2f}"


def peer(kept):
    tegami, other = kept["runs"]
    for run, name in ((tegami, "tegami, plain handlers"), (other, "tomodachi")):
        measured = (f"lost {run['figures']['lost']:,}, handled again {run['duplicates']:,}, {run['ended']} processes ended by "
                    f"themselves, in {run['seconds_of_faults']:.0f} s of faults")
        yield f"the same {len(run['faults'])} faults upon {name}: of {run['published']:,} published", "", measured


def checked():
    """What is tried by tests, each with its outcome: how much there is of it."""
    (inputs,) = re.findall(r"^In all ([\d,]+) inputs", (ROOT / "docs/design/fuzzing.md").read_text(), re.M)
    yield "bad inputs of fixed corpora that crash, hang, or are accepted", "6,700: 0", inputs
    broken = (ROOT / "tests/conformance").glob("broken*.rs")
    caught = sum(len(re.findall(r"fn \w+_caught", path.read_text())) for path in broken)
    yield "broken transports, inboxes and outboxes that the checker takes for good", "12: 0", f"{caught}"


def parts(figures):
    lines = [HEAD, [":--"] * len(HEAD), *rows(figures)]
    return {"proof": "\n".join("| " + " | ".join(line) + " |" for line in lines)}
