"""Stop and remove the project's sandbox. The workspace stays; nothing running is fine.

What was changed in a private copy is kept first: `sandboxd review` shows it. When that fails, the
sandbox goes on running, unless `--discard` throws the changes away.
"""

from __future__ import annotations

from sandboxd.cli import terminal
from sandboxd.cli.commands import _sandbox
from sandboxd.cli.operating import operate

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.operations.stop import Options, StoppedDocument

HELP = "stop and remove the project's sandbox"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    parser.add_argument(
        "--discard", action="store_true", help="throw away what was changed in a private copy"
    )


def run(args: argparse.Namespace) -> int:
    options: Options = {"name": _sandbox.name(args), "discard": args.discard}
    stopped: StoppedDocument = operate("stop", _sandbox.folder(args), options)
    for name in stopped["removed"]:
        terminal.status(f"removed `{name}`")
    for name in stopped["of_editors"]:
        terminal.status(f"`{name}` was started by an editor and stays: end it there")
    if not stopped["removed"]:
        terminal.status(f"no sandbox of `{stopped['directory']}` was up")
    return 0
