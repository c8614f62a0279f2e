"""Grants that only the user can give, outside the repository, as options of a command."""

from __future__ import annotations

from sandboxd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import NoReturn

    from sandboxd.plan.grants import Grants


def configure(parser: argparse.ArgumentParser) -> None:
    import argparse

    parser.add_argument(
        "--allow-runc",
        action="store_true",
        help="let hardened runc, which shares the host's kernel, run what needs gVisor, or what asks for "
        "runc where gVisor works",
    )
    parser.add_argument("--profile", type=_refuse_profile, help=argparse.SUPPRESS)


def _refuse_profile(name: str) -> NoReturn:
    raise UsageError(
        f"the profile `{name}` is chosen in sandboxd.toml, not by an option",
        f'write `profile = "{name}"` there; `sandboxd init --profile {name}` writes a new one',
    )


def grants(args: argparse.Namespace) -> Grants:
    """The grants in `args`."""
    from sandboxd.plan.grants import Grants

    return Grants(allow_runc=args.allow_runc)
