"""Start the project's sandbox as planned, or leave it alone when it runs like that already.

A changed plan or image replaces the container. Nothing is left of a failed start.
"""

from __future__ import annotations

import argparse

from sandboxd.cli import terminal
from sandboxd.cli.commands import _grants, _sandbox

HELP = "start the project's sandbox"


def configure(parser: argparse.ArgumentParser) -> None:
    _sandbox.add_project(parser)
    _grants.configure(parser)


def run(args: argparse.Namespace) -> int:
    from sandboxd.sandbox.run import up

    plan = _sandbox.plan(_sandbox.folder(args), _grants.grants(args))
    for downgrade in plan.downgrades:
        terminal.status(f"downgrade: {downgrade.control}: {downgrade.why}")
        if downgrade.fix:
            terminal.status(f"  hint: {downgrade.fix}")
    running = up(_sandbox.connect(), plan, terminal.status)
    runtime = plan.container.runtime.value if plan.container.runtime else "the engine's default"
    terminal.status(f"{running.how}: profile {plan.profile}, runtime {runtime}")
    print(terminal.printable(running.name))
    return 0
