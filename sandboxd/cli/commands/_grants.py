"""Grants that only the user can give, outside the repository, as options of a command."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.plan.grants import Grants


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-runc",
        action="store_true",
        help="let hardened runc, which shares the host's kernel, run what needs gVisor, or what asks for "
        "runc where gVisor works",
    )


def grants(args: argparse.Namespace) -> Grants:
    """The grants in `args`."""
    from sandboxd.plan.grants import Grants

    return Grants(allow_runc=args.allow_runc)
