"""A variable of the shell that calls `up`; the secret is not stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.credentials.sources import NoSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.credentials.records import Record


def read(record: Record, environ: Mapping[str, str]) -> str:
    """The value of the variable.

    :raises NoSecret: it is not set
    """
    (variable,) = record.place
    if variable not in environ:
        raise NoSecret(
            f"the variable `{variable}` for `{record.name}` is not set in this shell",
            f"`export {variable}=...`, or keep the secret: `sandboxd credentials add {record.name}`",
        )
    return environ[variable]
