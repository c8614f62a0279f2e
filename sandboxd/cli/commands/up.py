"""Start the project's sandbox as planned, or leave it alone when it runs like that already.

With `--verify` it is attacked from inside once it runs, as by `sandboxd verify`, whose exit codes then
count, too; it goes on running whatever the result.

A changed plan or image replaces the container. Nothing is left of a failed start.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sandboxd.cli import terminal
from sandboxd.cli.commands import _grants, _sandbox

if TYPE_CHECKING:
    from sandboxd.plan.plan import Plan
    from sandboxd.sandbox.engine import Engine

HELP = "start the project's sandbox"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    _grants.configure(parser)
    parser.add_argument(
        "--verify", action="store_true", help="then attack it from inside and say whether it holds"
    )


def run(args: argparse.Namespace) -> int:
    from sandboxd.sandbox.run import up

    plan = _sandbox.plan(_sandbox.folder(args), _grants.grants(args))
    for downgrade in plan.downgrades:
        terminal.status(f"downgrade: {downgrade.control}: {downgrade.why}")
        if downgrade.fix:
            terminal.status(f"  hint: {downgrade.fix}")
    engine = _sandbox.connect()
    running = up(engine, plan, terminal.status)
    runtime = plan.container.runtime.value if plan.container.runtime else "the engine's default"
    terminal.status(f"{running.how}: profile {plan.profile}, runtime {runtime}")
    print(terminal.printable(running.name))
    return _verify(engine, running.id, plan) if args.verify else 0


def _verify(engine: Engine, container: str, plan: Plan) -> int:
    from sandboxd.cli.verify_run import attack, conclude

    verdict, seconds = attack(engine, container, plan)
    conclude(verdict, seconds)
    return verdict.exit_code
