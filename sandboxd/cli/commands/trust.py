"""Grants for what a repository's sandboxd.toml cannot choose alone: list them, add one, take it back.

A grant is for one content: of sandboxd.toml, or of all that the image's build reads (Dockerfile,
Features, what is copied). When that changes, the grant is void. It is kept in your config folder, never
in the workspace. `add` shows what you agree to, and asks on a terminal; without one it grants nothing
unless `--yes` or `--expect` says that somebody looked.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.errors import EXIT_FINDINGS, EXIT_OK, SandboxdError, UsageError

if TYPE_CHECKING:
    from sandboxd.plan.granting import Wanted
    from sandboxd.plan.recipe import Recipe
    from sandboxd.policy.trust import Grant
    from sandboxd.project import Project

HELP = "grants for what a repository cannot choose alone"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "add", "revoke"),
        default="list",
        help="what to do with the grants (default: list them)",
    )
    parser.add_argument("path", nargs="?", default=".", help="folder of the project")
    parser.add_argument("--yes", action="store_true", help="with `add`: do not ask")
    parser.add_argument(
        "--json", action="store_true", help="with `add`: print what is asked for, and grant nothing"
    )
    parser.add_argument(
        "--expect",
        metavar="DIGEST",
        help="with `add`: only while that is asked for which has this `digest` of --json; do not ask",
    )


def run(args: argparse.Namespace) -> int:
    from sandboxd.policy import trust

    if args.action != "add" and (args.json or args.expect):
        raise UsageError(
            "`--json` and `--expect` are about what is asked for", "`sandboxd trust add --json`"
        )

    if args.action == "list":
        _list(trust.grants(os.environ))
    elif args.action == "revoke":
        return _revoke(os.path.realpath(args.path))
    else:
        return _add(args)
    return EXIT_OK


def _revoke(folder: str) -> int:
    """:param folder: a project, or a folder in one: `trust add` there grants for the project"""
    from sandboxd.agents import session
    from sandboxd.cli import following
    from sandboxd.operations.given_records import folder_of
    from sandboxd.policy import trust

    is_there = os.path.isdir(folder)
    workspace = os.path.realpath(folder_of(folder, os.environ)) if is_there else folder
    sessions = session.folders_of(os.environ, workspace)
    gone, problem = list[str](), None
    try:
        # A grant of the folder's own may be there from when it was a project.
        gone = trust.revoke(os.environ, workspace, folder, *sessions)
    except SandboxdError as error:
        # Also where the end of a grant cannot be recorded: it is gone.
        problem = error
    code = following.code_of(following.follow(workspace), problem)
    if problem is not None:
        return code
    if gone:
        of_agents = [os.path.basename(each) for each in sessions if each in gone]
        named = ", ".join(f"`{terminal.one_line(name)}`" for name in of_agents)
        also = f", nor what its agents' sessions ask for ({named})" if named else ""
        terminal.status(
            f"nothing of `{workspace}` is trusted any more{also}; `sandboxd down` ends a sandbox that is up"
        )
    else:
        terminal.status(f"nothing of `{workspace}` was trusted")
    return code


def _list(grants: tuple[Grant, ...]) -> None:
    from sandboxd.files import CONFIG_NAME
    from sandboxd.policy import trust

    for grant in grants:
        is_build = grant.profile == trust.BUILD
        project, recipe, problem = _read(grant.workspace, with_recipe=is_build)
        if is_build:
            what, subject = "build", "what it reads"
            now = recipe.digest if recipe is not None else ""
        else:
            what, subject = f"profile {terminal.one_line(grant.profile)}", "the file"
            now = trust.digest(os.path.join(grant.workspace, CONFIG_NAME))
        state, lines = f"void: {subject} changed or is gone", []
        if now == grant.digest:
            state = f"in force{_elsewhere(project) if project is not None and not is_build else ''}"
            lines = _given(grant, project, recipe, problem)
        print(terminal.fitted(f"{grant.workspace}: {what}: {state}", 4))
        for line in lines:
            print(terminal.fitted(f"  {line}", 2))
    if not grants:
        terminal.status("nothing is trusted")
    if old := trust.old_file(os.environ):
        terminal.status(
            f"`{old}` is of an older version and is not read: grant again what you need"
        )


def _read(workspace: str, *, with_recipe: bool) -> tuple[Project | None, Recipe | None, str]:
    """A project with its recipe, or why it cannot be read."""
    from sandboxd.project import Project

    try:
        project = Project.open(workspace, os.environ)
        return project, project.recipe() if with_recipe else None, ""
    except SandboxdError as error:
        return None, None, str(error)


def _given(grant: Grant, project: Project | None, recipe: Recipe | None, problem: str) -> list[str]:
    """A line for each right that the grant gives.

    :param problem: why the project cannot be read, '' if it was
    """
    from sandboxd.plan import granting

    if project is not None:
        try:
            hosts = project.hosts()
            changes = granting.given(grant, project.config, project.profile, recipe, hosts)
            return [change.line for change in changes]
        except SandboxdError as error:
            problem = str(error)
    return [f"what it gives cannot be told: {problem}"]


def _elsewhere(project: Project) -> str:
    """The end of a line about the cluster that the project's file names; '' for this machine."""
    from sandboxd.operations.on_cluster import where

    wish = project.config.where
    if wish is None:
        return ""
    words, why_not = where.destination(wish.value, os.environ)
    how = f"may not go to {words}: {why_not}" if why_not else f"goes to {words}"
    return terminal.one_line(f"; its work {how}")


def _add(args: argparse.Namespace) -> int:
    from sandboxd.plan.granting import wanted
    from sandboxd.policy import floor, trust
    from sandboxd.project import Project

    project = Project.open(args.path, os.environ)
    recipe, policy = project.recipe(), floor.load(os.environ)
    config, hosts = project.config, project.hosts()
    request = wanted(project.workspace, config, project.profile, recipe, policy, hosts)
    if args.json:
        _print_json(project.workspace, request)
        return EXIT_OK
    if args.expect is not None and args.expect != request.digest:
        raise UsageError(
            f"`{project.workspace}` does not ask for what was looked at: a file changed since",
            "look at it again: `sandboxd trust add`",
        )
    if not request.grants:
        terminal.status(f"profile `{project.config.profile.value}` needs no grant")
        return EXIT_OK
    terminal.status(f"`{project.workspace}` asks for:")
    for line in request.lines:
        _show(line)
    if not args.yes and args.expect is None and not _agrees():
        terminal.status("nothing was granted")
        return EXIT_FINDINGS
    for grant in request.grants:
        trust.add(os.environ, grant)
    terminal.status("trusted until it changes; `sandboxd trust revoke` takes it back")
    from sandboxd.cli import following

    return following.follow(project.workspace)


def _print_json(workspace: str, request: Wanted) -> None:
    """Print what is asked for; `granted`: all of it is trusted already. Its texts are the repository's."""
    import json

    from sandboxd.policy import trust

    held = trust.grants(os.environ)
    document = {
        "version": 1,
        "project": workspace,
        "digest": request.digest,
        "needs_grant": bool(request.grants),
        "granted": all(grant in held for grant in request.grants),
        "changes": [
            {**change._asdict(), "before": change.before or None} for change in request.changes
        ],
    }
    print(json.dumps(document, indent=2))


def _show(line: str) -> None:
    """One thing that is asked for; in a file it stays on one line, as what is searched for there."""
    control, _, change = line.partition(": ")
    if sys.stderr.isatty():
        terminal.entry(f"  {control}:", change)
    else:
        terminal.status(f"  {line}")


def _agrees() -> bool:
    """Whether the person at the terminal agrees.

    :raises UsageError: nobody is here to ask; a program that runs the command has agreed to nothing
    """
    if not sys.stdin.isatty():
        raise UsageError(
            "nobody is here to agree, so nothing was granted",
            "look at the list, then add `--yes`; or grant exactly what was looked at: `--expect DIGEST` of `--json`",
        )
    return terminal.answers("grant it? [y/N] ", "y", "yes")
