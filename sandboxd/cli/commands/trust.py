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
from sandboxd.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from sandboxd.plan.recipe import Recipe
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
        if grant.profile == trust.BUILD:
            what, now, gone = "build", _build_now(grant.workspace), "what it reads"
        else:
            what, gone = f"profile {terminal.one_line(grant.profile)}", "the file"
            now = trust.digest(os.path.join(grant.workspace, FILE_NAME))
        state = "in force" if now == grant.digest else f"void: {gone} changed or is gone"
        print(f"{terminal.one_line(grant.workspace)}: {what}: {state}")
    if not grants:
        terminal.status("nothing is trusted")


def _build_now(workspace: str) -> str:
    from sandboxd.errors import SandboxdError
    from sandboxd.project import Project

    try:
        recipe = Project.open(workspace, os.environ).recipe()
    except SandboxdError:
        return ""
    return recipe.digest if recipe is not None else ""


def _add(path: str) -> None:
    from sandboxd.plan import profiles
    from sandboxd.plan.floor import needs_grant
    from sandboxd.policy import floor, trust
    from sandboxd.project import Project

    project = Project.open(path, os.environ)
    recipe = project.recipe()
    if project.config.path is None and recipe is None:
        raise UsageError(
            f"`{project.workspace}` has no sandboxd.toml to trust", "`sandboxd init` writes one"
        )
    if floor.load(os.environ).no_trust:
        raise UsageError("the policy forbids grants", "`sandboxd policy` shows which file does")
    profile = profiles.load(project.config.profile.value)
    grants = []
    if needs_grant(profile, project.config):
        _show(project)
        grants.append(trust.Grant(project.workspace, project.config.digest, profile.name))
    if recipe is not None:
        _show_build(recipe)
        grants.append(trust.Grant(project.workspace, recipe.digest, trust.BUILD))
    for grant in grants:
        trust.add(os.environ, grant)
    if not grants:
        terminal.status(f"profile `{profile.name}` needs no grant")
        return
    terminal.status("trusted until it changes; `sandboxd trust revoke` takes it back")


def _show_build(recipe: Recipe) -> None:
    """What is run on this machine, outside of every sandbox, when the image is built."""
    terminal.status(terminal.one_line(f"build: {recipe.sources()}, by the engine's builder"))
    if recipe.base:
        terminal.status(terminal.one_line(f"on: the image `{recipe.base}`"))
    for part in recipe.parts:
        terminal.status(terminal.one_line(f"reads: `{part.path}`, {len(part.data)} bytes"))


def _show(project: Project) -> None:
    """What the grant gives away, against the default profile."""
    from sandboxd.plan import profiles

    asked, usual = profiles.load(project.config.profile.value), profiles.load("dev")
    for field in profiles.Profile._fields:
        before, after = getattr(usual, field), getattr(asked, field)
        if before != after and field not in ("name", "purpose", "faults", "needs_grant"):
            terminal.status(f"{field.replace('_', ' ')}: {_words(before)} -> {_words(after)}")
    if project.config.wishes.layout is not None:
        terminal.status(f"workspace: layout {project.config.wishes.layout.value}")
    for fault in asked.faults:
        terminal.status(f"{fault.control}: {fault.why}")


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value).lower() if value or value is False else "none"
