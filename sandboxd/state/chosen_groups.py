"""Stores which groups of hosts a project's files selected when its sandbox started.

A sandbox can write into the workspace, so what its files would select later may be the sandbox's own choice. The
selection is kept in the user's state folder from the start of a sandbox to its end.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping

from sandboxd.errors import SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.folders import state_folder, workspace_file


def recall(environ: Mapping[str, str], workspace: str) -> tuple[str, ...] | None:
    """The names of the stored groups; None where none are stored, so that the present files decide.

    () where what is stored cannot be read: the sandbox may have written the present files.
    """
    path = _path(environ, workspace)
    try:
        record = json.loads(read_source(path).text)
        is_its_own = record["workspace"] == workspace
        return tuple(str(name) for name in record["groups"]) if is_its_own else ()
    except (SandboxdError, ValueError, KeyError, TypeError, RecursionError):
        return None if _is_none(path) else ()


def _is_none(path: str) -> bool:
    """Whether there is no file; False also where that may not be looked at."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        pass
    return False


def keep(environ: Mapping[str, str], workspace: str, groups: Iterable[str]) -> bool:
    """Store the selection of a start, unless one is stored already; returns whether it was stored now.

    :raises SandboxdError: it cannot be written
    :raises OSError: its folder cannot be made
    """
    path = _path(environ, workspace)
    if os.path.lexists(path):
        return False
    record = {"workspace": workspace, "groups": sorted(groups)}
    write_private(path, json.dumps(record).encode())
    return True


def forget(environ: Mapping[str, str], workspace: str) -> None:
    """Remove the stored selection at the end of a sandbox, so that the files decide at its next start."""
    with contextlib.suppress(OSError):
        os.unlink(_path(environ, workspace))


def forget_unused(environ: Mapping[str, str], sandbox: str) -> None:
    """Forget those of a sandbox that ended, unless one of this identity runs on another engine that the user did not
    say is gone: what it may have is bounded by them.

    To be called once what was given is forgotten.
    """
    from sandboxd.state import given_rights

    if all(each.sandbox != sandbox or each.is_gone for each in given_rights.entries(environ)):
        forget(environ, sandbox)


def _path(environ: Mapping[str, str], workspace: str) -> str:
    return workspace_file(os.path.join(state_folder(environ), "groups"), workspace, ".json")
