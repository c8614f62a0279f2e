"""Services that the user describes: one file each in the folder `services` of the user's config folder.

A repository cannot add one. Their names begin with `my-`, so that none replaces one that ships.
"""

from __future__ import annotations

import os
import re
from typing import Any

from sandboxd.errors import UnreadableError, UsageError
from sandboxd.files import decode, read_bytes
from sandboxd.policy.floor import user_folder
from sandboxd.policy.own_files import refuse_foreign, status_of

FOLDER = "services"
"""The folder's name in that of the user's config."""

NAME = r"my-[a-z0-9]{1,20}"
"""A regular expression for their names."""


def is_name(name: str) -> bool:
    """Whether `name` has the form of the name of a service that a user describes."""
    return re.fullmatch(NAME, name) is not None


def path(name: str) -> str:
    """The path of the file that describes the service `name`; it need not exist."""
    return os.path.join(user_folder(os.environ), FOLDER, f"{name}.toml")


def names() -> tuple[str, ...]:
    """The names of all services that this user describes."""
    try:
        entries = os.listdir(os.path.dirname(path("my-0")))
    except OSError:
        return ()
    listed = (entry[:-5] for entry in entries if entry.endswith(".toml"))
    return tuple(sorted(name for name in listed if is_name(name)))


def content(name: str) -> dict[str, Any]:
    """The parsed TOML of the file that describes the service `name`.

    :raises KeyError: there is none
    :raises UsageError: others can write the file, or it cannot be read, or is no TOML
    """
    import tomllib

    file = path(name)
    status = None
    if is_name(name):
        status = status_of(file, "what it may reach", follow_links=False)
    if status is None:
        raise KeyError(name)
    refuse_foreign(file, status, 0o022)
    try:
        return tomllib.loads(decode(read_bytes(file)))
    except UnreadableError as error:
        raise UsageError(f"`{file}` {error.message}", error.hint) from None
    except ValueError as error:
        raise refusal(name, str(error)) from None


def refusal(name: str, why: str) -> UsageError:
    """The error to report for a file that does not describe a service.

    :param why: a clause that says what is wrong with it
    """
    return UsageError(
        f"`{path(name)}` does not describe a service: {why}",
        "docs/credentials.md has an example: title, endpoint and environment",
    )
