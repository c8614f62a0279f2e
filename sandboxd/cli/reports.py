"""Reports that commands write into a file."""

from __future__ import annotations

import os

from sandboxd.errors import UsageError


def check_name(path: str, *endings: str) -> None:
    """Refuse a report that could not be written, before the work is done.

    :param endings: of the forms that there are, each with its dot
    :raises UsageError: its ending names no form, or its folder is not there
    """
    if os.path.splitext(path)[1] not in endings:
        forms = f"{', '.join(endings[:-1])} or {endings[-1]}"
        raise UsageError(f"`{path}` names no form of report", f"end it with {forms}")
    if not os.path.isdir(os.path.dirname(os.path.abspath(path))):
        raise UsageError(f"the folder of `{path}` is not there", "make it, or name another")
