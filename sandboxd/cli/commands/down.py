"""Stop and remove the project's sandbox. The workspace stays; nothing running is fine.

What was changed in a private copy is kept first: `sandboxd review` shows it. When that fails, the
sandbox goes on running, unless `--discard` throws the changes away.
"""

from __future__ import annotations

import os

from sandboxd.cli import progress, terminal, through_daemon
from sandboxd.cli.commands import _sandbox
from sandboxd.ipc import messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

HELP = "stop and remove the project's sandbox"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    parser.add_argument(
        "--discard", action="store_true", help="throw away what was changed in a private copy"
    )


def run(args: argparse.Namespace) -> int:
    directory, options = _sandbox.folder(args), {"discard": args.discard}
    stopped = through_daemon.operate(messages.STOP, directory, options, progress.say)
    if stopped is None:
        stopped = _stop_here(args, directory)
    for name in stopped["removed"]:
        terminal.status(f"removed `{name}`")
    for name in stopped["of_editors"]:
        terminal.status(f"`{name}` was started by an editor and stays: end it there")
    if not stopped["removed"]:
        terminal.status(f"no sandbox of `{stopped['directory']}` was up")
    return 0


def _stop_here(args: argparse.Namespace, directory: str) -> dict[str, Any]:
    """Stop the sandbox in this process, without a daemon."""
    from sandboxd.cli.cancelling import cancelled_by_signals
    from sandboxd.operations.stop import stop

    with cancelled_by_signals() as cancel:
        return stop(
            _sandbox.connect(),
            directory,
            os.environ,
            discard=args.discard,
            progress=progress.show,
            cancel=cancel,
        )._asdict()
