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
    from collections.abc import Mapping
    from typing import Any

    from sandboxd.backends.backend import Listing

HELP = "list the sandboxes and projects"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_on(parser, follows_file=False)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    if _sandbox.lacks(args, "remember projects"):
        return _list_sandboxes(args)
    failure: SandboxdError | None = None
    listing: Listing | None = None
    try:
        listing = _sandbox.backend(args).list_sandboxes()
    except SandboxdError as error:
        failure = error
    projects = _projects()
    if failure is not None and not projects:
        raise failure
    if args.json:
        _print_json(listing, {"projects": projects})
    else:
        _print(listing, projects)
    if failure is not None:
        terminal.error(failure)
        return failure.exit_code
    return EXIT_OK


def _list_sandboxes(args: argparse.Namespace) -> int:
    """List the sandboxes alone."""
    listing = _sandbox.backend(args).list_sandboxes()
    if args.json:
        _print_json(listing, {})
    elif not listing.sandboxes:
        terminal.status(f"no sandboxes {listing.words}")
    else:
        _print_table([each.columns for each in listing.sandboxes])
    return EXIT_OK


def _projects() -> list[dict[str, Any]] | None:
    """The projects that the daemon remembers, None when it cannot be asked."""
    from sandboxd.ipc import client

    try:
        projects = client.list_projects(os.environ)
    except DaemonError as error:
        terminal.error(error)
        return None
    return [dict(project) for project in projects] if projects is not None else None


def _print_json(listing: Listing | None, more: dict[str, Any]) -> None:
    """Print the document; without a listing, that there is no sandbox.

    :param more: its last fields
    """
    import json

    sandboxes = [dict(each.facts) for each in listing.sandboxes] if listing is not None else []
    place = listing.place if listing is not None else {}
    print(json.dumps({"version": 1, **place, "sandboxes": sandboxes, **more}, indent=2))


def _print(listing: Listing | None, projects: list[dict[str, Any]] | None) -> None:
    """Print the sandboxes of this machine and the projects without one.

    :param listing: None if the engine cannot be asked
    """
    rows = [each.columns for each in listing.sandboxes] if listing is not None else []
    started = {row["project"] for row in rows}
    for project in projects or []:
        if project["path"] not in started:
            is_asked = listing is not None
            state = ("not created" if is_asked else "unknown") if project["exists"] else "missing"
            rows.append({"name": "-", "state": state, "profile": "", "project": project["path"]})
    if not rows:
        terminal.status("no sandboxes" if projects is None else "no sandboxes and no projects")
    else:
        _print_table(rows)
    if projects is None:
        terminal.status("no daemon was asked, so projects without a sandbox are not listed")


def _print_table(rows: list[Mapping[str, str]]) -> None:
    """Print at least one row below the names of the columns."""
    widths = {c: max(len(c), *(len(row[c]) for row in rows)) for c in rows[0]}
    for row in ({c: c.upper().replace("_", " ") for c in widths}, *rows):
        print(terminal.one_line("  ".join(row[c].ljust(widths[c]) for c in widths).rstrip()))
