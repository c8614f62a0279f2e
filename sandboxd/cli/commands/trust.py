"""Grants for what a repository's sandboxd.toml cannot choose alone: list them, add one, take it back.

A grant is for one content of one file: when it changes, the grant is void. It is kept in your
config folder, never in the workspace. `add` shows what you agree to.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from sandboxd.cli import terminal
from sandboxd.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from sandboxd.policy.trust import Grant
    from sandboxd.project import Project

HELP = "what a repository may choose although it takes controls away"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("list", "add", "revoke"), default="list")
    parser.add_argument("path", nargs="?", default=".", help="folder of the project")


def run(args: argparse.Namespace) -> int:
    from sandboxd.policy import trust

    if args.action == "list":
        _list(trust.grants(os.environ))
    elif args.action == "revoke":
        workspace = os.path.realpath(args.path)
        if trust.revoke(os.environ, workspace):
            terminal.status(
                f"nothing of `{workspace}` is trusted any more; `sandboxd down` ends it"
            )
        else:
            terminal.status(f"nothing of `{workspace}` was trusted")
    else:
        _add(args.path)
    return EXIT_OK


def _list(grants: tuple[Grant, ...]) -> None:
    from sandboxd.config import FILE_NAME
    from sandboxd.policy import trust

    for grant in grants:
        now = trust.digest(os.path.join(grant.workspace, FILE_NAME))
        state = "in force" if now == grant.digest else "void: the file changed or is gone"
        workspace = terminal.one_line(grant.workspace)
        print(f"{workspace}: profile {terminal.one_line(grant.profile)}: {state}")
    if not grants:
        terminal.status("nothing is trusted")


def _add(path: str) -> None:
    from sandboxd.plan import profiles
    from sandboxd.policy import floor, trust
    from sandboxd.project import Project

    project = Project.open(path, os.environ)
    if project.config.path is None:
        raise UsageError(
            f"`{project.workspace}` has no sandboxd.toml to trust", "`sandboxd init` writes one"
        )
    if floor.load(os.environ).no_trust:
        raise UsageError("the policy forbids grants", "`sandboxd policy` shows which file does")
    profile = profiles.load(project.config.profile.value)
    if not profile.needs_grant:
        terminal.status(f"profile `{profile.name}` needs no grant")
        return
    _show(project)
    trust.add(
        os.environ,
        trust.Grant(project.workspace, project.config.digest, profile.name),
    )
    terminal.status("trusted until the file changes; `sandboxd trust revoke` takes it back")


def _show(project: Project) -> None:
    """What the grant gives away, against the default profile."""
    from sandboxd.plan import profiles

    asked, usual = profiles.load(project.config.profile.value), profiles.load("dev")
    for field in profiles.Profile._fields:
        before, after = getattr(usual, field), getattr(asked, field)
        if before != after and field not in ("name", "purpose", "faults", "needs_grant"):
            terminal.status(f"{field.replace('_', ' ')}: {_words(before)} -> {_words(after)}")
    for fault in asked.faults:
        terminal.status(f"{fault.control}: {fault.why}")


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value).lower() if value or value is False else "none"
