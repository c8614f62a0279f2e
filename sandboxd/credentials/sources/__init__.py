"""The kinds of places that a secret can be in: one module each.

Each has `read(record, environ)`; one that can store a secret also has `write` and `remove`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sandboxd.credentials.secret import NotASecret, Secret
from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sandboxd.credentials.records import Record


class NoSecret(EnvironmentFailure):
    """The secret cannot be read; the message says why, and contains nothing of the secret."""


def read(record: Record, environ: Mapping[str, str]) -> Secret:
    """Read the secret of `record` from its source.

    :param environ: the environment of the calling shell
    :raises NoSecret: it cannot be read, or is not a valid secret
    """
    text: str = source(record.source).read(record, environ)
    try:
        return Secret(text)
    except NotASecret as error:
        why = str(error)
    # Outside of the handler: a trace is not to have a frame beside the text.
    raise NoSecret(
        f"what {record.where()} holds for `{record.name}` is no secret: {why}",
        f"run `sandboxd credentials add {record.name}` again",
    )


def source(name: str) -> Any:
    """The module of a source.

    :param name: one of `records.SOURCES`
    """
    return import_module(f"{__name__}.{name}")
