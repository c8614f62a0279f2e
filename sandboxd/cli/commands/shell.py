"""Open a shell in the project's sandbox: bash where the image has it, else sh."""

from __future__ import annotations

import argparse

from sandboxd.cli.commands import _sandbox

HELP = "open a shell in the project's sandbox"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    parser.add_argument("--root", action="store_true", help="as root inside the sandbox")


def run(args: argparse.Namespace) -> int:
    from sandboxd.cli import attend
    from sandboxd.operations.shell import shell

    tty = attend.wants_terminal(allowed=True)
    running = shell(
        _sandbox.connect(),
        _sandbox.folder(args),
        tty=tty,
        user="0" if args.root else "",
        env=attend.terminal_variables(tty),
    )
    return attend.attend(running, "sh", tty=tty, stdin=True)
