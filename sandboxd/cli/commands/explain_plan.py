"""Explain each line of the plan: the value, and what decided it, in one screen.

With `--all` each has its reason. Then what a gateway cannot know of the names that it lets through, which other
hosts the project names, what will not be in force, with what mends it, and what of a hand-written devcontainer.json
is left out.

Where gVisor runs a project on the host's own folder, the folders that tools fill are measured: those of many
files, or of files that change often, are named with the line of sandboxd.toml that keeps them in memory.
No file is opened for it, no link followed, and it ends after 1.5 s.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from typing import TYPE_CHECKING

from sandboxd import terminal
from sandboxd.cli.commands import _grants
from sandboxd.errors import EXIT_OK

if TYPE_CHECKING:
    from sandboxd.cli.tree_sizes import Sizes
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.proposed_trees import Proposal
    from sandboxd.project import Project

HELP = "why each line of the plan is there"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", nargs="?", default=".", help="folder of the project")
    parser.add_argument(
        "--all",
        action="store_true",
        help="each reason, what mends what is not in force, and all names",
    )
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    parser.add_argument(
        "--docker-run",
        action="store_true",
        help="print the plan as a `docker run` command line, to be pasted into a shell",
    )
    _grants.configure(parser)


def run(args: argparse.Namespace) -> int:
    from sandboxd.host.probe import probe
    from sandboxd.project import Project
    from sandboxd.render.screens import plan as plan_screen
    from sandboxd.render.screens import plan_in_short

    project = Project.open(args.path, os.environ)
    plan = project.plan(probe(os.environ, trial=True), _grants.grants(args))
    if args.docker_run:
        _docker_run(plan)
        return EXIT_OK
    trees = _hot_trees(project, plan)
    if args.json:
        document = {**_as_json(plan), "hot_trees": trees and _trees_as_json(*trees)}
        json.dump(document, sys.stdout, indent=2)
        print()
        return EXIT_OK
    if not args.all:
        slow = trees[1].trees if trees is not None else ()
        print("\n".join(plan_in_short.lines(plan, slow, terminal.width())))
        return EXIT_OK
    for line in plan_screen.lines(plan, terminal.width()):
        print(line)
    if trees is not None:
        from sandboxd.cli import trees_screen

        for line in trees_screen.lines(*trees, terminal.width()):
            print(line)
    return EXIT_OK


def _hot_trees(project: Project, plan: Plan) -> tuple[Sizes, Proposal] | None:
    """The measured folders and what is proposed of them; None where nothing could be."""
    from sandboxd.cli import tree_sizes
    from sandboxd.plan import proposed_trees
    from sandboxd.plan.tool_folders import KNOWN

    if not proposed_trees.is_of_use(plan, project.profile):
        return None
    sizes = tree_sizes.sizes(plan.workspace, KNOWN)
    return sizes, proposed_trees.propose(plan, project.profile, project.config, sizes.trees)


def _trees_as_json(sizes: Sizes, proposal: Proposal) -> dict[str, object]:
    return {
        "measured": [tree._asdict() for tree in sizes.trees],
        "complete": sizes.is_whole,
        "proposed": [tree.path for tree in proposal.trees],
        "line": proposal.line,
        "too_large": [tree.path for tree in proposal.too_large],
    }


def _docker_run(plan: Plan) -> None:
    """Print the plan as a `docker run` command for a shell; unprintable characters are escaped."""
    from sandboxd.plan.writers import argv
    from sandboxd.policy.protect import stub_text

    if plan.inner is not None:
        print(
            _shell(["sandboxd", "generate", plan.workspace])
        )  # makes the network, and what is mounted
    folders = [path for path in plan.stubs if stub_text(path) is None]
    if folders:
        print(_shell(["mkdir", "-p", "--", *(os.path.join(plan.workspace, f) for f in folders)]))
    for path in plan.stubs:
        text = stub_text(path)
        if text is not None:
            words = ["printf", "%s", text.decode("ascii")]
            print(f"{_shell(words)} > {_shell([os.path.join(plan.workspace, path)])}")
    for words in (argv.render(plan), argv.prepare(plan)):
        if words:
            print(_shell(words))


def _shell(words: list[str]) -> str:
    """Words as bash and zsh read them: a value must not reach the terminal as a control sequence."""
    return " ".join(shlex.quote(word) if word.isprintable() else _spell(word) for word in words)


def _spell(word: str) -> str:
    octal = "".join(f"\\{byte:03o}" for byte in word.encode("utf-8", "surrogateescape"))
    return f"$'{octal}'"


def _as_json(plan: Plan) -> dict[str, object]:
    return {
        "version": 1,
        "workspace": plan.workspace,
        "profile": plan.profile,
        "gvisor": plan.gvisor,
        "reasons": [reason._asdict() for reason in plan.reasons],
        "downgrades": [downgrade._asdict() for downgrade in plan.downgrades],
        "hooks_refused": [{"item": e.item, "why": e.why} for e in plan.hooks_refused],
        "egress": _policy_as_json(plan),
        "credentials": [
            {
                "name": str(use.name),
                "required": use.is_required,
                "doors": [
                    {
                        "service": door.label,
                        "port": door.port,
                        "host": door.endpoint.host,
                        "methods": list(door.endpoint.methods),
                        "paths": list(door.endpoint.paths),
                    }
                    for door in use.doors
                ],
            }
            for use in plan.credentials
        ],
        "left_out": [{"item": e.item, "why": e.why} for e in plan.left_out],
    }


def _policy_as_json(plan: Plan) -> dict[str, object] | None:
    policy = plan.egress
    if policy is None:
        return None
    return {
        "rules": [
            {
                "host": str(rule.pattern),
                "ports": list(rule.ports),
                "private": rule.private,
                "source": rule.source,
            }
            for rule in policy.rules
        ],
        "denied": [str(pattern) for pattern in policy.denied],
        "canaries": list(policy.canaries),
        "proposals": [proposal._asdict() for proposal in plan.proposals],
    }
