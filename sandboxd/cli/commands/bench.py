"""Measure what the sandbox costs on this machine, for this project.

The same work is done in turn in hardened runc and in gVisor, each as `sandboxd up` would start it,
each on a copy of the workspace; with `--plain` in plain Docker, too, which takes the profile's
controls away from the image. Without COMMAND it is a set of small workloads; with one it is yours:
`sandboxd bench -- make test`. Yours is never run in plain Docker.

Figures are medians over the rounds; a ratio compares within one round. `sandboxd recommend` shows
them from then on. Nothing stays: sandboxes and copies are removed.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from sandboxd.cli import terminal
from sandboxd.cli.commands import _grants, _sandbox
from sandboxd.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from sandboxd.bench.results import Results

HELP = "measure what the sandbox costs for this project"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    _grants.configure(parser)
    parser.add_argument(
        "--rounds", type=int, default=5, metavar="N", help="rounds to measure (default: 5)"
    )
    parser.add_argument(
        "--copy-limit",
        default="512m",
        metavar="SIZE",
        help="largest workspace to copy, such as 4g (default: 512m)",
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help="compare with plain Docker, too: only for an image that you trust",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--report", metavar="FILE", help="write a report, too: FILE ends with .html or .json"
    )
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="your own work to measure")


def run(args: argparse.Namespace) -> int:
    import json

    from sandboxd.bench.results import document
    from sandboxd.cli import bench_report, reports

    if args.rounds < 1:
        raise UsageError(f"`--rounds {args.rounds}` measures nothing", "use 1 or more")
    if args.plain and args.command:
        raise UsageError(
            f"`{args.command[0]}` is not run in plain Docker, without the profile's controls",
            "leave `--plain` out, or the command",
        )
    if args.report:
        reports.check_name(args.report, *bench_report.ENDINGS)
    reports.clean_up_when_ended()
    results = _measure(args)
    bench_report.remember(results)
    if args.report:
        bench_report.write(args.report, results)
    if args.json:
        print(json.dumps(document(results), indent=2))
    else:
        print(bench_report.table(results))
    return EXIT_OK


def _measure(args: argparse.Namespace) -> Results:
    import datetime
    import tempfile

    from sandboxd.bench import candidates, copies
    from sandboxd.bench.measure import measure
    from sandboxd.bench.results import Results
    from sandboxd.cli import bench_report
    from sandboxd.host.probe import probe
    from sandboxd.project import Project

    project = Project.open(_sandbox.folder(args), os.environ)
    engine = _sandbox.connect()
    host = probe(os.environ, trial=True)
    cache = bench_report.cache()
    scratch = tempfile.mkdtemp(prefix="bench-", dir=cache)
    try:
        chosen = candidates.choose(
            project,
            host,
            _grants.grants(args),
            scratch,
            bench_report.size(args.copy_limit),
            args.plain,
            _progress,
        )
        rows, variants = measure(
            engine, chosen.candidates, args.command, args.rounds, cache, _progress
        )
    finally:
        _progress("")
        copies.remove(scratch)
        if os.path.isdir(scratch):
            terminal.status(f"left behind, since it belongs to another user: `{scratch}`")
    for left_out in chosen.left_out:
        terminal.status(f"not measured: {left_out}")
    return Results(
        os.path.basename(project.workspace),
        variants,
        rows,
        args.rounds,
        datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        bench_report.about(host),
        chosen.left_out,
    )


def _progress(message: str) -> None:
    """One line that is written over on a terminal; elsewhere each step once."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{terminal.one_line(message)}")
        sys.stderr.flush()
    elif message:
        terminal.status(message)
