"""A command that prints the secret, such as `pass show github`. Only the user's own record can name one."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from sandboxd.credentials.records import load
from sandboxd.credentials.secret import LONGEST
from sandboxd.credentials.sources import NoSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.credentials.records import Record

SECONDS = 60.0
"""The time limit in seconds: a password manager may ask its user first."""


def read(record: Record, environ: Mapping[str, str]) -> str:
    """The first line that the command prints; it runs in `/`, so that no workspace can influence it.

    :raises NoSecret: it fails, or does not end in time
    """
    hint = f"try it: `sandboxd credentials test {record.name}`"
    try:
        done = subprocess.run(
            record.place,
            cwd="/",
            env=_without_secrets(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"does not end within {SECONDS:g} s"
    except (OSError, ValueError) as error:
        why = f"does not start: {(getattr(error, 'strerror', None) or 'no such command').lower()}"
    else:
        if done.returncode == 0:
            line = done.stdout[: LONGEST + 2].partition(b"\n")[0]
            return line.decode("utf-8", "replace")
        why = f"failed with exit code {done.returncode}"
    raise NoSecret(f"{record.where()} for `{record.name}` {why}", hint)


def _without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without the secrets of other credentials."""
    variables = {each.place[0] for each in load(environ) if each.source == "environment"}
    return {name: value for name, value in environ.items() if name not in variables}
