"""Tells where a scenario allocates, for each message; scripts/bench counts sites NAME calls it.

    sites.py PROGRAM NAME

DHAT has the stack of each allocation. Of each stack are shown the innermost function of tegami, and, where that is deep inside
others, the first of theirs that it called.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

OURS = re.compile(r"<?&?(?:mut )?(?:dyn )?tegami(?:_counts)?::")
PLUMBING = re.compile(r"\b(?:alloc|core|std|hashbrown|__rust|__libc)\w*::|malloc|calloc|realloc|memalign|Counting|__rust|_R[A-Z]")


def profile(program, name):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "dhat.out"
        command = ["valgrind", "--quiet", "--tool=dhat", "--num-callers=200", f"--dhat-out-file={out}", program, name]
        times = int(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split()[0])
        return times, json.loads(out.read_text())


def function(frame):
    """Its name, and the line that it is at."""
    told = re.fullmatch(r"0x[0-9A-F]+: (.+?)(?: \((?:in )?([^()]+)\))?", frame)
    place = re.sub(r"^.*/", "", told[2] or "")
    return re.sub(r"::h[0-9a-f]{16}$", "", told[1]), place


def site(frames):
    names = [function(frame) for frame in frames]
    ours = next((n for n, (name, _) in enumerate(names) if OURS.search(name)), None)
    if ours is None:
        ours = next(n for n, (name, _) in enumerate(names) if not PLUMBING.search(name))
    inner = next((name for name, _ in reversed(names[:ours]) if not PLUMBING.search(name)), "")
    name, place = names[ours]
    return f"{name} ({place})" + (f" in {inner}" if inner else "")


def main(program, name):
    times, seen = profile(program, name)
    sites = collections.defaultdict(lambda: [0, 0])
    for point in seen["pps"]:
        frames = [seen["ftbl"][frame] for frame in point["fs"]]
        if any("counting::counted" in frame for frame in frames):
            of = sites[site(frames)]
            of[0] += point["tbk"] / times
            of[1] += point["tb"] / times
    print(f"{'allocations':>11} {'bytes':>8}")
    for of, (blocks, size) in sorted(sites.items(), key=lambda item: -item[1][0]):
        print(f"{blocks:11.2f} {size:8.0f}  {of}")
    print(f"{sum(s[0] for s in sites.values()):11.2f} {sum(s[1] for s in sites.values()):8.0f}  in all")


main(*sys.argv[1:])
