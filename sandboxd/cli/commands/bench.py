"""Measure what the sandbox costs on this machine, for this project.

The same work is done in turn in hardened runc and in gVisor, each as `sandboxd up` would start it,
each on a copy of the workspace; with `--plain` in plain Docker, too, which takes the profile's
controls away from the image. Without COMMAND it is a set of small workloads; with one it is yours:
`sandboxd bench -- make test`. Yours is never run in plain Docker.

Of a command the first line says what gVisor costs, and which one change of `[workspace]` in sandboxd.toml helps most.
Where gVisor takes longer and the project uses it, a private copy is tried, and the folder that the command fills in
memory: each in the same rounds as the sandbox as it is. A change that was not faster in every round does not help.

Figures are medians over the rounds; a ratio compares within one round. `sandboxd recommend` shows
them from then on, and `sandboxd status --long` what was said of the command. Nothing stays: sandboxes and
copies are removed.
"""

from __future__ import annotations

import argparse
import sys

from sandboxd import terminal
from sandboxd.cli import arguments, progress
from sandboxd.cli.commands import _sandbox
from sandboxd.cli.operating import operate
from sandboxd.errors import EXIT_OK
from sandboxd.operations.options import BenchOptions

HELP = "measure what the sandbox costs for this project"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    arguments.add(parser, BenchOptions, "allow_runc")
    arguments.add(parser, BenchOptions, "rounds")
    parser.add_argument(
        "--copy-limit",
        default="512m",
        metavar="SIZE",
        help="largest workspace to copy, such as 4g (default: 512m)",
    )
    arguments.add(parser, BenchOptions, "plain")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--report", metavar="FILE", help="write a report, too: FILE ends with .html or .json"
    )
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="your own work to measure")


def run(args: argparse.Namespace) -> int:
    import json

    from sandboxd.bench.results import document
    from sandboxd.cli import bench_report, reports
    from sandboxd.operations.bench import decode

    if args.report:
        reports.check_name(args.report, *bench_report.ENDINGS)
    options = arguments.chosen(
        args,
        BenchOptions,
        command=tuple(args.command),
        copy_limit=bench_report.size(args.copy_limit),
    )
    results = decode(operate("bench", _sandbox.folder(args), options, _say, gives_environ=True))
    if args.report:
        bench_report.write(args.report, results)
    if args.json:
        print(json.dumps(document(results), indent=2))
    else:
        print(bench_report.table(results))
    return EXIT_OK


def _say(text: str, passing: bool) -> None:
    """Print each step once, also without a terminal, since a measurement takes minutes."""
    if text and not sys.stderr.isatty():
        terminal.status(text)
    else:
        progress.say(text, passing)
