"""Open a shell in the project's sandbox: bash where the image has it, else sh."""

from __future__ import annotations

import argparse
import sys

from sandboxd.cli.commands import _sandbox

HELP = "open a shell in the project's sandbox"

_SHELL = "if command -v bash >/dev/null 2>&1; then exec bash -l; else exec sh -l; fi"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    parser.add_argument("--root", action="store_true", help="as root inside the sandbox")


def run(args: argparse.Namespace) -> int:
    from sandboxd.engine.client import Exec
    from sandboxd.engine.execute import exec_
    from sandboxd.life.find import locate

    engine = _sandbox.connect()
    container = locate(engine, _sandbox.folder(args))
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    return exec_(
        engine,
        container.id,
        Exec(
            ["sh", "-c", _SHELL],
            tty=tty,
            stdin=True,
            user="0" if args.root else "",
            env=_sandbox.terminal_variables(tty),
        ),
    )
