"""List the sandboxes of all projects on this engine, and the projects that the daemon knows.

A project that was never started, or whose sandbox was removed, has no sandbox and is listed none
the less. Without a daemon the sandboxes are listed alone.
"""

from __future__ import annotations

import os

from sandboxd import terminal
from sandboxd.cli.commands import _sandbox
from sandboxd.errors import EXIT_OK, DaemonError, SandboxdError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

HELP = "list the sandboxes and projects"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_on(parser, follows_file=False)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    if args.on:
        from sandboxd.cli.on_cluster import looking

        return looking.list_all(args.on, as_json=args.json)
    failure: SandboxdError | None = None
    sandboxes: list[dict[str, Any]] = []
    try:
        sandboxes = _sandboxes()
    except SandboxdError as error:
        failure = error
    projects = _projects()
    if failure is not None and not projects:
        raise failure
    if args.json:
        _print_json(sandboxes, projects)
    else:
        _print(sandboxes, projects, is_asked=failure is None)
    if failure is not None:
        terminal.error(failure)
        return failure.exit_code
    return EXIT_OK


def _sandboxes() -> list[dict[str, Any]]:
    """The containers of the engine.

    :raises SandboxdError: there is none
    """
    from sandboxd.life.find import all_sandboxes
    from sandboxd.model.labels import EDITOR, MADE_BY, PROFILE, PROJECT
    from sandboxd.model.sandbox_id import name_of, workspace_of

    return [
        {
            "name": c.name,
            "state": c.state,
            "profile": c.labels.get(PROFILE, ""),
            "project": workspace_of(c.labels[PROJECT]),
            "sandbox": name_of(c.labels[PROJECT]),
            "image": c.image,
            "made_by": c.labels.get(MADE_BY, EDITOR),
            "id": c.id,
        }
        for c in all_sandboxes(_sandbox.connect())
    ]


def _projects() -> list[dict[str, Any]] | None:
    """The projects that the daemon remembers, None when it cannot be asked."""
    from sandboxd.ipc import client

    try:
        projects = client.list_projects(os.environ)
    except DaemonError as error:
        terminal.error(error)
        return None
    return [dict(project) for project in projects] if projects is not None else None


def _print_json(sandboxes: list[dict[str, Any]], projects: list[dict[str, Any]] | None) -> None:
    import json

    print(json.dumps({"version": 1, "sandboxes": sandboxes, "projects": projects}, indent=2))


def _print(
    sandboxes: list[dict[str, Any]], projects: list[dict[str, Any]] | None, *, is_asked: bool
) -> None:
    rows = list(sandboxes)
    started = {row["project"] for row in rows}
    for project in projects or []:
        if project["path"] not in started:
            state = ("not created" if is_asked else "unknown") if project["exists"] else "missing"
            rows.append({"name": "-", "state": state, "profile": "", "project": project["path"]})
    if not rows:
        terminal.status("no sandboxes" if projects is None else "no sandboxes and no projects")
    else:
        columns = ("name", "state", "profile", "project")
        widths = {c: max(len(c), *(len(row[c]) for row in rows)) for c in columns}
        for row in ({c: c.upper() for c in columns}, *rows):
            print(terminal.one_line("  ".join(row[c].ljust(widths[c]) for c in columns).rstrip()))
    if projects is None:
        terminal.status("no daemon was asked, so projects without a sandbox are not listed")
