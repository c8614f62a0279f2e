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

from sandboxd.cli import progress, terminal, through_daemon
from sandboxd.cli.commands import _grants, _sandbox
from sandboxd.errors import EXIT_OK
from sandboxd.ipc import messages

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.bench.results import Results
    from sandboxd.operations.interruption import Step

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

    if args.report:
        reports.check_name(args.report, *bench_report.ENDINGS)
    options = {
        "command": args.command,
        "rounds": args.rounds,
        "copy_limit": bench_report.size(args.copy_limit),
        "plain": args.plain,
        "allow_runc": args.allow_runc,
    }
    results = _measure(_sandbox.folder(args), options)
    if args.report:
        bench_report.write(args.report, results)
    if args.json:
        print(json.dumps(document(results), indent=2))
    else:
        print(bench_report.table(results))
    return EXIT_OK


def _measure(directory: str, options: dict[str, Any]) -> Results:
    """The figures, measured by a daemon that runs or by this process."""
    from sandboxd.operations import wire

    more = {**options, "environ": dict(os.environ)}
    answer = through_daemon.operate(messages.BENCH, directory, more, _say)
    if answer is not None:
        return wire.results(answer)
    from sandboxd.cli.cancelling import cancelled_by_signals
    from sandboxd.operations.bench import bench

    def show(step: Step) -> None:
        _say(step.text, step.is_passing)

    with cancelled_by_signals() as cancel:
        return bench(
            _sandbox.connect(), directory, os.environ, **options, progress=show, cancel=cancel
        )


def _say(text: str, passing: bool) -> None:
    """Print each step once, also without a terminal, since a measurement takes minutes."""
    if text and not sys.stderr.isatty():
        terminal.status(text)
    else:
        progress.say(text, passing)
