"""Stop and remove the project's sandbox. The workspace stays; nothing running is fine.

What was changed in a private copy is kept first: `sandboxd review` shows it. When that fails, the
sandbox goes on running, unless `--discard` throws the changes away.
"""

from __future__ import annotations

import argparse

from sandboxd.cli import terminal
from sandboxd.cli.commands import _sandbox

HELP = "stop and remove the project's sandbox"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    parser.add_argument(
        "--discard", action="store_true", help="throw away what was changed in a private copy"
    )


def run(args: argparse.Namespace) -> int:
    from sandboxd.life import find, up_down
    from sandboxd.model.labels import MADE_BY, PROJECT, UP

    engine = _sandbox.connect()
    directory = _sandbox.folder(args)
    containers = find.project_containers(engine, directory)
    removed = (
        up_down.down(engine, containers[0].labels[PROJECT], terminal.status, discard=args.discard)
        if containers
        else []
    )
    for name in removed:
        terminal.status(f"removed `{name}`")
    for other in containers:
        if other.labels.get(MADE_BY) != UP:
            terminal.status(f"`{other.name}` was started by an editor and stays: end it there")
    if not removed:
        terminal.status(f"no sandbox of `{directory}` was up")
    return 0
