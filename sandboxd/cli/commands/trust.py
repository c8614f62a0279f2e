"""Grants for what a repository's sandboxd.toml cannot choose alone: list them, add one, take it back.

A grant is for one content: of sandboxd.toml, or of all that the image's build reads (Dockerfile,
Features, what is copied). When that changes, the grant is void. It is kept in your config folder, never
in the workspace. `add` shows what you agree to.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from sandboxd.cli import terminal
from sandboxd.errors import EXIT_OK

if TYPE_CHECKING:
    from sandboxd.policy.trust import Grant

HELP = "what a repository may choose although it takes controls away"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "add", "revoke"),
        default="list",
        help="what to do with the grants (default: list them)",
    )
    parser.add_argument("path", nargs="?", default=".", help="folder of the project")


def run(args: argparse.Namespace) -> int:
    from sandboxd.policy import trust

    if args.action == "list":
        _list(trust.grants(os.environ))
    elif args.action == "revoke":
        workspace = os.path.realpath(args.path)
        if trust.revoke(os.environ, workspace):
            terminal.status(
                f"nothing of `{workspace}` is trusted any more; `sandboxd down` ends a sandbox that is up"
            )
        else:
            terminal.status(f"nothing of `{workspace}` was trusted")
    else:
        _add(args.path)
    return EXIT_OK


def _list(grants: tuple[Grant, ...]) -> None:
    from sandboxd.files import CONFIG_NAME
    from sandboxd.policy import trust

    for grant in grants:
        if grant.profile == trust.BUILD:
            what, now, subject = "build", _build_now(grant.workspace), "what it reads"
        else:
            what, subject = f"profile {terminal.one_line(grant.profile)}", "the file"
            now = trust.digest(os.path.join(grant.workspace, CONFIG_NAME))
        state = "in force" if now == grant.digest else f"void: {subject} changed or is gone"
        print(f"{terminal.one_line(grant.workspace)}: {what}: {state}")
    if not grants:
        terminal.status("nothing is trusted")
    if old := trust.old_file(os.environ):
        terminal.status(
            f"`{old}` is of an older version and is not read: grant again what you need"
        )


def _build_now(workspace: str) -> str:
    from sandboxd.errors import SandboxdError
    from sandboxd.project import Project

    try:
        recipe = Project.open(workspace, os.environ).recipe()
    except SandboxdError:
        return ""
    return recipe.digest if recipe is not None else ""


def _add(path: str) -> None:
    from sandboxd.plan.granting import wanted
    from sandboxd.policy import floor, trust
    from sandboxd.project import Project

    project = Project.open(path, os.environ)
    recipe, policy = project.recipe(), floor.load(os.environ)
    config, hosts = project.config, project.hosts()
    request = wanted(project.workspace, config, project.profile, recipe, policy, hosts)
    for line in request.lines:
        terminal.status(line)
    for grant in request.grants:
        trust.add(os.environ, grant)
    if not request.grants:
        terminal.status(f"profile `{project.config.profile.value}` needs no grant")
        return
    terminal.status("trusted until it changes; `sandboxd trust revoke` takes it back")
