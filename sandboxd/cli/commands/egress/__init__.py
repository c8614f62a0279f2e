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

HERE_ONLY = {
    "once": "a gateway that its cluster starts again would let one more connection through; give it a time: `--for 10m`"
}
"""Options that mean nothing on a cluster, by their attribute, with what to do instead."""


def configure(parser: argparse.ArgumentParser) -> None:
    _actions.configure(parser, __name__)


def run(args: argparse.Namespace) -> int:
    return _actions.run(args, __name__)
