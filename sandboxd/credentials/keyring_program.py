"""Asks the library `keyring`, in a process of its own: a request and an answer as JSON, by pipes.

The outcome is ``done``, ``absent`` (no library), ``unavailable`` (no keyring), ``locked`` or ``empty``.
No text of the library is passed on: it could hold what it was asked for.
"""

from __future__ import annotations

import contextlib
import json
import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE = "sandboxd"
"""The name of sandboxd's entries in a keyring."""


def main() -> None:
    """Answer the request on standard input."""
    # Output of the library is no part of the answer.
    with contextlib.redirect_stdout(sys.stderr):
        outcome, text = answer(json.load(sys.stdin))
    json.dump({"outcome": outcome, "text": text}, sys.stdout)


def answer(request: Mapping[str, str]) -> tuple[str, str]:
    """The outcome, and the secret where one was asked for."""
    try:
        keyring, errors = import_module("keyring"), import_module("keyring.errors")
    except ImportError:
        return "absent", ""
    try:
        if request["op"] == "set":
            keyring.set_password(SERVICE, request["name"], request["secret"])
            return "done", ""
        if request["op"] == "delete":
            with contextlib.suppress(errors.PasswordDeleteError):
                keyring.delete_password(SERVICE, request["name"])
            return "done", ""
        text = keyring.get_password(SERVICE, request["name"])
        return ("done", str(text)) if text else ("empty", "")
    except errors.KeyringLocked:
        return "locked", ""
    except Exception:
        # Each keyring has errors of its own.
        return "unavailable", ""
