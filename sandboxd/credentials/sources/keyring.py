"""The keyring of the user's desktop, by the Python library `keyring` if it is installed.

The library runs in a process of its own, since a locked keyring waits for its user, and since the daemon does not
belong to the session of the calling shell.
"""

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
"""The time limit in seconds: a locked keyring asks its user for a password."""

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
    """The secret in the keyring.

    :raises NoSecret: there is no library, no keyring or no such entry, or the keyring is locked
    """
    return _ask({"op": "get", "name": str(record.name)}, record.name, environ)


def write(name: Name, environ: Mapping[str, str], secret: Secret) -> str:
    """Store the secret of `name` in the keyring; returns words for where it is.

    :raises NoSecret: as `read`
    """
    request = {"op": "set", "name": str(name), "secret": secret.reveal()}
    _ask(request, name, environ)
    return "the keyring"


def remove(name: Name, environ: Mapping[str, str]) -> None:
    """Remove the entry of `name`, if there is one.

    :raises NoSecret: as `read`
    """
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
