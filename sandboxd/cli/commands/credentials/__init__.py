"""Your secrets for services that tools inside a sandbox work with, and never have.

The gateway adds a secret on the way out, for the hosts, methods and paths of its service alone; inside
there is a placeholder. A project asks for one by `use = ["github"]` below `[credentials]` in its
sandboxd.toml, which counts only after `sandboxd trust add`. Where the secret is you say here, once for
all projects.
"""

from __future__ import annotations

from sandboxd.cli.commands import _actions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HELP = "your secrets for services, which no sandbox has"


def configure(parser: argparse.ArgumentParser) -> None:
    _actions.configure(parser, __name__)


def run(args: argparse.Namespace) -> int:
    return _actions.run(args, __name__)
