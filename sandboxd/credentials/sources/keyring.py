"""The keyring of the user's desktop, by the library `keyring` where it is installed.

It is asked in a process of its own: a locked keyring waits for its user, and the daemon is not part of the
session of the calling shell."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from sandboxd.credentials.sources import NoSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.credentials.name import Name
    from sandboxd.credentials.records import Record
    from sandboxd.credentials.secret import Secret

SECONDS = 60.0
"""A locked keyring asks its user for a password."""

_PROGRAM = "from sandboxd.credentials.keyring_program import main; main()"
_WHY = {
    "absent": "the library `keyring` is not installed",
    "unavailable": "there is no keyring in this session",
    "locked": "the keyring is locked",
    "empty": "the keyring has no entry of it",
}
_HINTS = {
    "absent": "`pip install keyring` beside sandboxd",
    "unavailable": "sign in to a desktop session",
    "locked": "unlock it, then run it again",
}


def read(record: Record, environ: Mapping[str, str]) -> str:
    """The entry of the keyring.

    :raises NoSecret: there is no library, no keyring or no entry, or it is locked
    """
    return _ask({"op": "get", "name": str(record.name)}, record.name, environ)


def write(name: Name, environ: Mapping[str, str], secret: Secret) -> str:
    """Put the secret of `name` into the keyring; returns where it is. Raises as `read`."""
    request = {"op": "set", "name": str(name), "secret": secret.reveal()}
    _ask(request, name, environ)
    return "the keyring"


def remove(name: Name, environ: Mapping[str, str]) -> None:
    """Remove the entry of `name`, if it is there; raises as `read`."""
    _ask({"op": "delete", "name": str(name)}, name, environ)


def _ask(request: Mapping[str, str], name: Name, environ: Mapping[str, str]) -> str:
    """The answer of the helper process; the secret passes by pipes alone."""
    try:
        done = subprocess.run(
            # `-P`: no module of the folder that it runs in counts.
            [sys.executable, "-P", "-c", _PROGRAM],
            cwd="/",
            env=dict(environ),
            input=json.dumps(request).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
        answer = json.loads(done.stdout)
        outcome, text = answer["outcome"], answer["text"]
    except subprocess.TimeoutExpired:
        outcome, text = "locked", ""
    except (OSError, ValueError, KeyError, TypeError):
        outcome, text = "unavailable", ""
    if outcome == "done":
        return str(text)
    add = f"keep it elsewhere: `sandboxd credentials add {name} --file`"
    first = _HINTS.get(outcome)
    raise NoSecret(
        f"the secret of `{name}` is not to be had: {_WHY[outcome]}",
        f"{first}; or {add}" if first else f"`sandboxd credentials add {name}`",
    )
