"""What the commands that work on a running sandbox share."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from sandboxd.engine.client import Engine
    from sandboxd.host.facts import HostFacts
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.planner import Grants


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


def plan(directory: str, grants: Grants | None = None) -> Plan:
    """The project's plan for this machine.

    :param grants: what the user grants for a start. None: the plan is only to compare a sandbox
        with that runs already, so what had to be granted then is not asked for again.
    """
    facts = _probing()
    from sandboxd.plan.planner import Grants
    from sandboxd.project import Project

    project = Project.open(directory, os.environ)
    plan = project.plan(facts(), grants or Grants(allow_runc=True, trusted=True))
    if grants is not None and plan.recipe is None:
        # Raises where there is one that cannot be built.
        project.recipe()
    return plan


def _probing() -> Callable[[], HostFacts]:
    """Begin to look at the machine; returns what waits for the answer.

    The engine takes as long for it as we take to load what makes plans.
    """
    found: list[HostFacts | BaseException] = []

    def look() -> None:
        from sandboxd.host.probe import probe

        try:
            found.append(probe(os.environ, trial=True))
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()

    def facts() -> HostFacts:
        thread.join()
        if isinstance(found[0], BaseException):
            raise found[0]
        return found[0]

    return facts


def terminal_variables(tty: bool) -> list[str]:
    """What a program needs to know of our terminal."""
    names = ("TERM", "COLORTERM") if tty else ()
    return [f"{name}={os.environ[name]}" for name in names if name in os.environ]
