"""The credential that an action is about."""

from __future__ import annotations

import sys

from sandboxd import screen, terminal
from sandboxd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from sandboxd.credentials.name import Name


def add_name(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names a credential."""
    parser.add_argument(
        "name",
        metavar="NAME[:ACCOUNT]",
        help="a service, such as `github`, and a word of yours where you have several accounts",
    )


def name_of(args: argparse.Namespace, *, is_to_go: bool = False) -> Name:
    """The credential that was typed.

    :param is_to_go: whether it is only to be removed: a service of the user's own need not be described any more
    :raises UsageError: there is no such service
    """
    from sandboxd.credentials import name, services

    try:
        return (name.parse_recorded if is_to_go else name.parse)(args.name)
    except name.NotACredential as error:
        listed = ", ".join(f"`{each}`" for each in services.names())
        raise UsageError(f"`{args.name}` {error}", f"services: {listed}") from None


def show(label: str, width: int, text: str) -> None:
    """Print a label, which may have a colour, and a text beside it; on a terminal it is wrapped under itself.

    :param width: columns of the label
    """
    line = terminal.one_line(text)
    room = max(terminal.width() - width - 2, 20) if sys.stdout.isatty() else len(line) + 1
    print(f"{label}  " + f"\n{' ' * (width + 2)}".join(screen.wrap(line, room)))
