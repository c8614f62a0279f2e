"""Show what the sandbox's main process wrote."""

from __future__ import annotations

import argparse
import sys

from sandboxd.cli.commands import _sandbox
from sandboxd.errors import UsageError

HELP = "show the output of the project's sandbox"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on until it ends")
    parser.add_argument("--tail", default="all", metavar="N", help="only the last N lines")


def run(args: argparse.Namespace) -> int:
    from sandboxd.operations.logs import logs

    if args.tail != "all" and not args.tail.isdigit():
        raise UsageError(f"`--tail {args.tail}` is not a number of lines", "write `--tail 50`")
    engine, directory = _sandbox.connect(), _sandbox.folder(args)
    for stream, piece in logs(engine, directory, follow=args.follow, tail=args.tail):
        target = sys.stderr.buffer if stream == 2 else sys.stdout.buffer
        target.write(piece)
        target.flush()
    return 0
