"""The names that a project's sandbox reaches, was denied, or asks for.

A gateway lets exactly the allowed names through: those of sandboxd.toml and its profile, and those that
you allow here for a time. What you answer is kept in your config folder, never in the workspace, and is
in force in a running sandbox when the command returns.
"""

from __future__ import annotations

from sandboxd.cli.commands import _actions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HELP = "names reached and denied, and your answers about them"

NEEDS = {"once": "allow once"}
"""Options that not every backend has, by their attribute, with the `Ability` that each needs."""


def configure(parser: argparse.ArgumentParser) -> None:
    _actions.configure(parser, __name__)


def run(args: argparse.Namespace) -> int:
    return _actions.run(args, __name__)
