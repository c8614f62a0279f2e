"""Arguments that the commands share which work on a sandbox."""

from __future__ import annotations

import os

from sandboxd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.engine.client import Engine


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
    """The folder that names the project, absolute.

    :raises UsageError: it is not there
    """
    path: str = os.path.abspath(args.project)
    if not os.path.isdir(path):
        raise UsageError(f"`{args.project}` is not a folder", "name the project's folder")
    return path
