"""Grants that only the user can give, outside the repository, as options of a command."""

from __future__ import annotations

from sandboxd.cli import arguments
from sandboxd.operations.start_options import StartOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.plan.grants import Grants


def configure(parser: argparse.ArgumentParser) -> None:
    arguments.add(parser, StartOptions, "allow_runc")


def grants(args: argparse.Namespace) -> Grants:
    """The grants in `args`."""
    from sandboxd.plan.grants import Grants

    return Grants(allow_runc=args.allow_runc)
