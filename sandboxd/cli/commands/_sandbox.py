"""Arguments and answers that the commands share which work on a sandbox."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from sandboxd.engine.client import Engine
    from sandboxd.operations.interruption import Step


def add_project(parser: argparse.ArgumentParser) -> None:
    """The option that names the project."""
    parser.add_argument(
        "--project",
        metavar="DIR",
        default=".",
        help="the project's folder, or one below it (default: here)",
    )


def connect() -> Engine:
    """The engine of this user's environment."""
    from sandboxd.engine.client import connect_from

    return connect_from(os.environ)


def folder(args: argparse.Namespace) -> str:
    """The project's folder: the one with the nearest `sandboxd.toml`, else the folder named.

    :raises UsageError: it is not there
    """
    from sandboxd.config import nearest
    from sandboxd.errors import UsageError

    path = os.path.abspath(args.project)
    if not os.path.isdir(path):
        raise UsageError(f"`{args.project}` is not a folder", "name the project's folder")
    config = nearest(path)
    return os.path.dirname(config) if config else path


def show(step: Step) -> None:
    """Say how far an operation is, to stderr; what passes is shown on a terminal alone."""
    from sandboxd.cli import terminal

    if not step.is_passing:
        terminal.status(step.text)
    elif sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{terminal.one_line(step.text)}")
        sys.stderr.flush()
