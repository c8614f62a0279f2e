"""Start the project's sandbox as planned, or leave it alone when it runs like that already.

With `--verify` it is attacked from inside once it runs, as by `sandboxd verify`, whose exit codes then
count, too; it goes on running whatever the result.

An image that has to be built from a Dockerfile or with Features is built when it is not there yet, by
the engine's builder, outside of the runtime: that needs a grant (`sandboxd trust add`).

A changed plan or image replaces the container. Nothing is left of a failed start.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.cli import terminal
from sandboxd.cli.commands import _grants, _sandbox
from sandboxd.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from sandboxd.engine.client import Engine
    from sandboxd.plan.plan import Plan
    from sandboxd.plan.recipe import Recipe

HELP = "start the project's sandbox"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    _grants.configure(parser)
    parser.add_argument(
        "--build",
        action="store_true",
        help="build the project's image again, if it has to be built",
    )
    parser.add_argument(
        "--verify", action="store_true", help="then attack it from inside and say whether it holds"
    )


def quick(argv: list[str]) -> argparse.Namespace | None:
    """Switches and no more, without the time that `argparse` takes; None for anything else."""
    from types import SimpleNamespace

    switches = ("--allow-runc", "--build", "--verify")
    if any(word not in switches for word in argv):
        return None
    values = {name[2:].replace("-", "_"): name in argv for name in switches}
    return SimpleNamespace(project=".", **values)  # type: ignore[return-value]


def run(args: argparse.Namespace) -> int:
    from sandboxd.ipc.announce import announce
    from sandboxd.life.up_down import up

    plan = _sandbox.plan(_sandbox.folder(args), _grants.grants(args))
    for downgrade in plan.downgrades:
        terminal.status(f"downgrade: {downgrade.control}: {downgrade.why}")
        if downgrade.fix:
            terminal.status(f"  hint: {downgrade.fix}")
    engine = _sandbox.connect()
    if plan.recipe is not None and (args.build or not engine.has_image(plan.recipe.tag)):
        _build(engine, plan.workspace, plan.recipe)
    running = up(engine, plan, terminal.status)
    runtime = plan.container.runtime.value if plan.container.runtime else "the engine's default"
    terminal.status(f"{running.how}: profile {plan.profile}, runtime {runtime}")
    print(terminal.printable(running.name))
    announce(os.environ, plan.workspace, keeps=True)
    return _verify(engine, running.id, plan) if args.verify else 0


def _build(engine: Engine, workspace: str, recipe: Recipe) -> None:
    from sandboxd.life.build import build
    from sandboxd.policy import floor, trust

    forbidden = floor.load(os.environ)
    if forbidden.no_trust or not trust.is_granted(
        os.environ, workspace, recipe.digest, trust.BUILD
    ):
        raise UsageError(
            f"the image is built from {recipe.sources()}, which runs commands of the repository "
            "outside of the sandbox",
            f"`{forbidden.path_of('trust')}` forbids to trust it; name an image instead"
            if forbidden.no_trust
            else "look at it, then run `sandboxd trust add`; or name an image in sandboxd.toml",
        )
    build(engine, recipe, os.environ, terminal.status)


def _verify(engine: Engine, container: str, plan: Plan) -> int:
    from sandboxd.cli.verify_run import attack, conclude

    verdict, seconds = attack(engine, container, plan)
    conclude(verdict, seconds)
    return verdict.exit_code
