"""Open a shell in the project's sandbox: the user's own where the image says so, else bash, zsh, fish or sh."""

from __future__ import annotations

from sandboxd.cli import attend
from sandboxd.cli.commands import _sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HELP = "open a shell in the project's sandbox"

NEEDS = {"root": "be root"}
"""Options that not every backend has, by their attribute, with the `Ability` that each needs."""


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_name(parser)
    _sandbox.add_on(parser)
    _sandbox.add_no_daemon(parser)
    parser.add_argument("--root", action="store_true", help="as root inside the sandbox")


def run(args: argparse.Namespace) -> int:
    tty = attend.wants_terminal(allowed=True)
    return attend.run(
        _sandbox.folder(args),
        [],
        tty=tty,
        stdin=True,
        user="0" if args.root else "",
        env=attend.terminal_variables(tty),
        name=_sandbox.name(args),
        starts_daemon=not args.no_daemon,
        on=args.on,
    )
