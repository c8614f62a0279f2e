"""Write the devcontainer.json that follows from sandboxd.toml and this host.

A devcontainer.json that you wrote stays as it is; the generated one then is
`.devcontainer/sandboxd/devcontainer.json`.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.cli.commands import _grants
from sandboxd.errors import EXIT_FINDINGS, EXIT_OK, UsageError
from sandboxd.state import stand_ins

if TYPE_CHECKING:
    from sandboxd.host.facts import HostFacts
    from sandboxd.plan.generate import Written
    from sandboxd.plan.grants import Grants
    from sandboxd.project import Project

HELP = "write or compare the generated files"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", default=".", help="folder of the project")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a file would change"
    )
    parser.add_argument("--diff", action="store_true", help="write nothing; show what would change")
    parser.add_argument(
        "--json", action="store_true", help="print which files there are, and which were written"
    )
    _grants.configure(parser)


def run(args: argparse.Namespace) -> int:
    from sandboxd.host.probe import probe
    from sandboxd.ipc.announce import announce
    from sandboxd.project import Project

    if args.json and (args.check or args.diff):
        raise UsageError("`--json` is about files that are written", "leave it out")
    project = Project.open(args.path, os.environ)
    host = probe(os.environ, trial=True)
    grants = _grants.grants(args)
    if host.engine is not None and host.engine.error:
        text = f"{host.engine.error}; the runtime is that of its last answer, if any"
        terminal.entry("not seen", text)
    if args.check or args.diff:
        return _compare(project, host, grants, args.diff)
    plan = project.plan(host, grants)
    written = _write(project, host, grants)
    if plan.inner is not None and _make_network(project):
        written += _write(project, host, grants)
    if not any(item.changed for item in written):
        terminal.status("up to date")
    if args.json:
        _print_json(project.workspace, written)
    lost = dict.fromkeys(item.control for item in plan.downgrades)
    if lost:
        terminal.entry("not in force", f"{', '.join(lost)}: `sandboxd explain-plan` says why")
    # From now on a running daemon does this at each save; without one there is nothing to say.
    announce(os.environ, project.workspace, keeps=True)
    return EXIT_OK


def _print_json(workspace: str, written: list[Written]) -> None:
    """Print each file once, and which one a client of dev containers is to be given."""
    import json

    from sandboxd.plan.generate import BESIDE_FILE, MAIN_FILE

    changed = {item.path: False for item in written}
    changed |= {item.path: True for item in written if item.changed}
    document = {
        "version": 1,
        "project": workspace,
        "config": next(path for path in changed if path in (MAIN_FILE, BESIDE_FILE)),
        "files": [{"path": path, "written": is_new} for path, is_new in changed.items()],
    }
    print(json.dumps(document, indent=2))


def _write(project: Project, host: HostFacts, grants: Grants) -> list[Written]:
    """Write the files, and say of each that was changed."""
    before = stand_ins.noted(os.environ, project.workspace)
    written = project.generate(host, grants)
    new = [p for p in stand_ins.noted(os.environ, project.workspace) if p not in before]
    if new:
        paths = ", ".join(f"`{path}`" for path in new)
        text = f"{paths}: empty, to be read-only inside; they go with the files (`sandboxd down`)"
        terminal.entry("put here", text)
    for item in written:
        if item.copy:
            terminal.status(f"kept your edits as {item.copy}")
        if item.changed:
            terminal.status(f"wrote {item.path}")
    return written


def _make_network(project: Project) -> bool:
    """Make the network that the file names; whether it has other addresses than the file says."""
    from sandboxd.cli.commands import _sandbox
    from sandboxd.errors import SandboxdError
    from sandboxd.operations.gateway_start import make_network

    try:
        return make_network(_sandbox.connect(), project.workspace, os.environ)
    except SandboxdError as error:
        terminal.entry(
            "not in force", f"network: an editor finds none to start in: {error.message}"
        )
        terminal.entry("  hint:", "`sandboxd daemon start` makes it once the engine answers")
        return False


def _compare(project: Project, host: HostFacts, grants: Grants, show: bool) -> int:
    from difflib import unified_diff

    stale = [state for state in project.compare(host, grants) if not state.is_current]
    for state in stale:
        path, text = state.output
        if show:
            before = (state.before or "").splitlines(keepends=True)
            after = text.splitlines(keepends=True)
            for line in unified_diff(before, after, f"a/{path}", f"b/{path}"):
                print(terminal.printable(line), end="")
        terminal.status(f"{'stale' if state.before is not None else 'missing'}: {path}")
    if not stale:
        terminal.status("up to date")
    return EXIT_FINDINGS if stale else EXIT_OK
