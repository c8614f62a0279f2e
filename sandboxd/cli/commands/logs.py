"""Show what the sandbox's main process wrote, or, with `--service`, another service of its Compose project.

On a terminal its text and colours are shown, and sequences that would drive the terminal as text.
"""

from __future__ import annotations

import sys
import time

from sandboxd.cli import through_daemon
from sandboxd.cli.commands import _sandbox
from sandboxd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import TextIO

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

HELP = "show the output of the project's sandbox"

NEEDS = {"service": "show services"}
"""Options that not every backend has, by their attribute, with the `Ability` that each needs."""


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    _sandbox.add_on(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on until it ends")
    parser.add_argument("--service", default="", metavar="NAME", help="that of this service")
    parser.add_argument("--tail", default="all", metavar="N", help="only the last N lines")
    parser.add_argument(
        "--since",
        default="",
        metavar="TIME",
        help="only what was written since: `10m` ago, or at `2026-04-01T10:15:00`",
    )


def run(args: argparse.Namespace) -> int:
    if args.tail != "all" and not args.tail.isdigit():
        raise UsageError(f"`--tail {args.tail}` is not a number of lines", "write `--tail 50`")
    directory, since = _sandbox.folder(args), _seconds(args.since)
    outputs = {1: _output(sys.stdout), 2: _output(sys.stderr)}

    def show(stream: int, piece: bytes) -> None:
        outputs[2 if stream == 2 else 1](piece, False)

    wanted = {
        "name": _sandbox.name(args),
        "follow": args.follow,
        "tail": args.tail,
        "since": since,
    }
    is_shown = not args.service and through_daemon.logs(directory, show, on=args.on, **wanted)
    if not is_shown:
        from sandboxd.operations.logs import logs

        logs(_sandbox.backend(args), directory, show, service=args.service, **wanted)
    for write in outputs.values():
        write(b"", True)
    return 0


def _seconds(text: str) -> int:
    """The moment that `text` means, in seconds since 1970; 0 for ''.

    :raises UsageError: it means none
    """
    if not text:
        return 0
    from datetime import datetime

    if text[:-1].isdecimal() and text.isascii() and (unit := _UNITS.get(text[-1])):
        return max(1, int(time.time()) - int(text[:-1]) * unit)
    try:
        return max(1, int(datetime.fromisoformat(text).timestamp()))
    except (ValueError, OverflowError):
        raise UsageError(
            f"`--since {text}` is no time", "write `--since 10m`, or `--since 2026-04-01T10:15:00`"
        ) from None


def _output(target: TextIO) -> Callable[[bytes, bool], None]:
    """A function that writes to `target`; control sequences are filtered if that is a terminal."""
    from sandboxd.cli.terminal_filter import TerminalFilter

    terminal = TerminalFilter() if target.isatty() else None

    def write(piece: bytes, is_last: bool) -> None:
        target.buffer.write(terminal.feed(piece, is_last=is_last) if terminal else piece)
        target.flush()

    return write
