"""scripts/soak store: what scripts/check does a few times, as often as is promised."""

import os
import re
import subprocess
import sys
import time

from .common import CHECKED, ROOT, made, took

# Of each test binary, the tests that do more where CONFORMANCE_LONG is set, or that fill a disk.
AT_LENGTH = {
    "store": ["e_01_append_race", "e_14_histories", "e5_f45_a_disk"],
    "outbox": ["t1_t2_t3_three_relays", "t4_what_two_outboxes", "i4_ids_are_forgotten", "s2_f28", "t5_f45_a_disk",
               "j1_every_tick_is_run_once"],
    "failpoints": ["_f27_", "d1_a_process_that_ends"],
}


def add_to(parts):
    store = parts.add_parser("store", help="tests of event stores, outboxes and inboxes, at length, on SQLite and PostgreSQL")
    store.add_argument("named", nargs="*", metavar="NAME", help="tests with one of these in their name (default: all)")
    store.set_defaults(run=lengthen)


def lengthen(_, asked):
    """One test after the other, each with its time and what it tells of itself."""
    binaries, began, count = made(CHECKED, list(AT_LENGTH), True), time.monotonic(), 0
    for name, tests in AT_LENGTH.items():
        listed = subprocess.run([binaries[name], "--list"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
        every = [line.removesuffix(": test") for line in listed.splitlines() if line.endswith(": test")]
        chosen = [test for test in every if any(word in test for word in tests) and any(word in test for word in asked.named or [""])]
        for test in chosen:
            if not did(binaries[name], name, test):
                return 1
            count += 1
    if not count:
        print(f"there is no such test: of {', '.join(word for words in AT_LENGTH.values() for word in words)}", file=sys.stderr)
        return 2
    print(f"{count} tests at length in {took(time.monotonic() - began)}: 0 failures")
    return 0


def did(binary, name, test):
    began = time.monotonic()
    command, variables = [binary, test, "--exact", "--nocapture"], {**os.environ, "CONFORMANCE_LONG": "1", "RUST_BACKTRACE": "0"}
    told = subprocess.run(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if told.returncode:
        print(f"{told.stdout}\n{name} {test} fails. Run it again with:\n    scripts/soak store {test}")
        return False
    # The line of libtest begins the first one.
    lines = [line.removeprefix(f"test {test} ... ") for line in told.stdout.splitlines()]
    words = [line for line in lines if line and line != "ok" and not re.match(r"(running \d+ tests?|test result:)", line)]
    print(f"{name} {test}: {took(time.monotonic() - began)}", *words, sep="\n    ", flush=True)
    return True
