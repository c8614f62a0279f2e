"""A command of several actions: a folder with one file for each."""

from __future__ import annotations

import os
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any


def configure(parser: argparse.ArgumentParser, package: str) -> None:
    """Add each action of `package`, the folder's name as it is imported."""
    from sandboxd.cli._parser import HelpFormatter

    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name in _names(package):
        action = _load(package, name)
        action.configure(
            actions.add_parser(
                name, help=action.HELP, description=action.__doc__, formatter_class=HelpFormatter
            )
        )


def run(args: argparse.Namespace, package: str) -> int:
    """Run the action that was typed; returns its exit code."""
    code: int = _load(package, args.action).run(args)
    return code


def _names(package: str) -> list[str]:
    """The actions, from the files that are there."""
    folder = os.path.dirname(import_module(package).__file__ or "")
    return sorted(n[:-3] for n in os.listdir(folder) if n.endswith(".py") and not n.startswith("_"))


def _load(package: str, name: str) -> Any:
    return import_module(f"{package}.{name}")
