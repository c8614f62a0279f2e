"""Finds the controls missing from a start that were not missing from the project's previous one: only these are news.

What was shown is saved in the user's state folder, for each sandbox.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.folders import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.plan.reasons import Downgrade


def news(
    environ: Mapping[str, str], workspace: str, downgrades: Iterable[Downgrade]
) -> tuple[Downgrade, ...]:
    """Those of `downgrades` that the previous call did not have; all of them are saved for the next call.

    If the saved file cannot be read or written, all count as new.

    :param workspace: the sandbox's identity
    """
    path = _path(environ, workspace)
    known = _recall(path, workspace)
    entries = {f"{item.control}: {item.why}": item for item in downgrades}
    if set(entries) != known:
        record = {"workspace": workspace, "downgrades": sorted(entries)}
        with contextlib.suppress(OSError, SandboxdError):
            write_private(path, json.dumps(record).encode())
    return tuple(item for text, item in entries.items() if text not in known)


def _recall(path: str, workspace: str) -> set[str]:
    try:
        record = json.loads(read_source(path).text)
        if record["workspace"] != workspace:
            return set()
        return {str(text) for text in record["downgrades"]}
    except (SandboxdError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def _path(environ: Mapping[str, str], workspace: str) -> str:
    name = hashlib.sha256(os.fsencode(workspace)).hexdigest()[:32]
    return os.path.join(state_folder(environ), "told", f"{name}.json")
