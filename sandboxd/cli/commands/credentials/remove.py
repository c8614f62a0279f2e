"""Forget a credential, and remove its secret from the keyring or the file that holds it.

The service does not hear of it: a token that may have been seen is revoked there. The gateways of sandboxes that
run here let nothing through to it any more.
"""

from __future__ import annotations

import os

from sandboxd import terminal
from sandboxd.cli import following
from sandboxd.cli.commands.credentials import _naming
from sandboxd.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

HELP = "forget one, and its secret"


def configure(parser: argparse.ArgumentParser) -> None:
    _naming.add_name(parser)


def run(args: argparse.Namespace) -> int:
    from sandboxd.credentials import records, sources

    name = _naming.name_of(args, is_to_go=True)
    record, problem = records.remove(os.environ, name)
    # Before its secret is removed, which a keyring may have to be opened for. And where there is none, since a command
    # that was stopped before the gateways heard of it may have removed it.
    code = following.follow()
    if record is None:
        if code:
            terminal.status(f"there is no credential `{name}`: `sandboxd credentials list` has all")
            return code
        raise UsageError(f"there is no credential `{name}`", "`sandboxd credentials list` has all")
    if record.source in ("keyring", "file"):
        sources.source(record.source).remove(name, os.environ)
        terminal.verdict(f"`{name}` is gone, and its secret from {record.where()}")
    else:
        terminal.verdict(f"`{name}` is gone; {record.where()} stays as it is")
    terminal.verdict("at the service it is valid until you revoke it there")
    from sandboxd.audit import notes

    return following.code_of(code, notes.unrecorded(problem) if problem else None)
