#!/usr/bin/env python3
"""Count what a check costs as a file grows: no part of it may cost the square of the size.

    benchmarks/sizes.py [--strict]

The cost is the number of calls, of ours and of C, which no busy machine changes. For each kind of file: the
calls for the same content once, ten and a hundred times, and the growth from 10 to 100 as an exponent (1 =
linear). Below, the functions that grow most.
"""

from __future__ import annotations

import argparse
import cProfile
import math
import pstats
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sandboxd.lint import analysis
from sandboxd.text import SourceText

HIGHEST_EXPONENT = 1.2
# A function that is called less often at the largest size says nothing about growth.
FEWEST_CALLS = 20_000

# Path, what stands before, the part that is repeated (`@` is its number), what stands behind.
KINDS = {
    "devcontainer": (".devcontainer/devcontainer.json", '{"runArgs":[', '"-v","/a@:/x","--cap-add=NET_@",', '"-i"]}'),
    "compose": ("compose.yaml", "services:\n  a:\n    image: x\n    volumes:\n", "      - /a@:/x@\n", ""),
    "services": ("compose.yaml", "services:\n", "  s@: {image: x, depends_on: [s1]}\n", ""),
    "dockerfile": ("Dockerfile", "FROM x\n", "ENV A@=$A1\nRUN curl x@ | sh\n", "USER root\n"),
    "sandboxd_toml": ("sandboxd.toml", "[environment]\n", "E@ = 'x'\n", ""),
    "seccomp": ("seccomp.json", '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[', '{"names":["read","q@"],"action":"SCMP_ACT_ALLOW"},', "{}]}"),
    "apparmor": ("apparmor/x", "profile x {\n", "  /a@/** rw,\n", "}\n"),
    "apparmor trees": ("apparmor/x", "profile x {\n", "  /a@/** rwkl,\n  mount fstype=* /b@ -> /,\n", "}\n"),
    "apparmor profiles": ("apparmor/x", "", "$V@ = true\nprofile p@ {\n  /a@/** rw,\n  deny mount,\n}\n", ""),
    "daemon_json": ("daemon.json", '{"insecure-registries":[', '"a@.example",', '"x"]}'),
    "shell": ("run.sh", "", "A@=x\ndocker run --rm $A@ x\n", ""),
    "makefile": ("Makefile", "a:\n", "\tdocker run --rm -v /:/x a@\n", ""),
    "vscode_tasks": (".vscode/tasks.json", '{"tasks":[', '{"label":"a@","dependsOn":"a1","command":"x"},', "{}]}"),
    "feature": ("devcontainer-feature.json", '{"id":"x","mounts":[', '"source=a@,target=/x",', '"a"]}'),
    "allowances": (".devcontainer/devcontainer.json", "", "// sandboxd: allow docker-socket-mounted -- @\n", "{}"),
}  # fmt: skip


def source(kind: str, times: int) -> SourceText:
    path, before, part, behind = KINDS[kind]
    body = "".join(part.replace("@", str(number)) for number in range(10 * times))
    return SourceText(f"/nowhere/{path}", before + body + behind)


def calls(text: SourceText) -> dict[str, int]:
    """How often each function is called in a check of `text`."""
    profile = cProfile.Profile()
    profile.runcall(analysis.check_source, text, fixes=analysis.Fixes.NAMES)
    counts: dict[str, int] = {}
    for (file, _, name), (_, count, *_) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        where = f"{Path(file).stem}.{name}"
        counts[where] = counts.get(where, 0) + count
    return counts


def growth(few: int, many: int) -> float:
    return math.log10(max(many, 1) / max(few, 1))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--strict", action="store_true", help="exit 1 when a kind grows too fast")
    args = parser.parse_args()
    steep: list[str] = []
    worst: list[tuple[float, int, str, str]] = []
    print(f"{'kind':<15}{'x1':>10}{'x10':>10}{'x100':>11}  growth")
    for kind in KINDS:
        calls(source(kind, 1))
        counted = [calls(source(kind, times)) for times in (1, 10, 100)]
        totals = [sum(counts.values()) for counts in counted]
        exponent = growth(totals[1], totals[2])
        print(f"{kind:<15}{totals[0]:>10}{totals[1]:>10}{totals[2]:>11}  {exponent:.2f}")
        if exponent > HIGHEST_EXPONENT:
            steep.append(kind)
        worst += [
            (growth(counted[1].get(name, 1), many), many, kind, name)
            for name, many in counted[2].items()
            if many >= FEWEST_CALLS
        ]
    print("\nfunctions that grow most")
    for exponent, many, kind, name in sorted(worst, reverse=True)[:10]:
        print(f"{exponent:.2f}  {many:>9}  {kind}: {name}")
    if steep:
        print(f"\ntoo steep: {', '.join(steep)}", file=sys.stderr)
    return 1 if steep and args.strict else 0


if __name__ == "__main__":
    sys.exit(main())
