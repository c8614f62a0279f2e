"""A file in the user's config folder that nobody else can read. The secret is in it in plain text."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from sandboxd.credentials.secret import LONGEST
from sandboxd.credentials.sources import NoSecret
from sandboxd.errors import UsageError
from sandboxd.files import reading, write_private
from sandboxd.policy.floor import user_folder
from sandboxd.policy.own_files import refuse_foreign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.credentials.name import Name
    from sandboxd.credentials.records import Record
    from sandboxd.credentials.secret import Secret

_FOLDER = "secrets"


def read(record: Record, environ: Mapping[str, str]) -> str:
    """The content of the file.

    :raises NoSecret: it is not there, or others can read or write it
    """
    path = _path(record.name, environ)
    hint = f"run `sandboxd credentials add {record.name}` again"
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = reading(os.open(path, flags))
    except OSError as error:
        why = (error.strerror or "it cannot be opened").lower()
        raise NoSecret(f"the secret of `{record.name}` in `{path}`: {why}", hint) from None
    with file:
        try:
            refuse_foreign(path, os.fstat(file.fileno()), 0o077)
        except UsageError as error:
            raise NoSecret(error.message, error.hint) from None
        return file.read(LONGEST + 2).decode("utf-8", "replace")


def write(name: Name, environ: Mapping[str, str], secret: Secret) -> str:
    """Write the secret of `name`; returns the path of the file."""
    path = _path(name, environ)
    write_private(path, secret.reveal().encode() + b"\n")
    return path


def remove(name: Name, environ: Mapping[str, str]) -> None:
    """Remove the secret of `name`, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_path(name, environ))


def _path(name: Name, environ: Mapping[str, str]) -> str:
    # No account holds a plus.
    return os.path.join(user_folder(environ), _FOLDER, str(name).replace(":", "+"))
