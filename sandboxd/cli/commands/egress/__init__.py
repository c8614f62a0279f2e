"""The names that a project's sandbox reaches, was denied, or asks for.

A gateway lets exactly the allowed names through: those of sandboxd.toml and its profile, and those that
you allow here for a time. What you answer is kept in your config folder, never in the workspace, and is
in force in a running sandbox when the command returns.
"""

from __future__ import annotations

import os
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

HELP = "names reached and denied, and your answers about them"


def configure(parser: argparse.ArgumentParser) -> None:
    from sandboxd.cli._parser import HelpFormatter

    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name in _names():
        action = _load(name)
        action.configure(
            actions.add_parser(
                name, help=action.HELP, description=action.__doc__, formatter_class=HelpFormatter
            )
        )


def run(args: argparse.Namespace) -> int:
    code: int = _load(args.action).run(args)
    return code


def _names() -> list[str]:
    """The actions, from the files that are there."""
    names = os.listdir(os.path.dirname(__file__))
    return sorted(n[:-3] for n in names if n.endswith(".py") and not n.startswith("_"))


def _load(name: str) -> Any:
    return import_module(f"{__name__}.{name}")
