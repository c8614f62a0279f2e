"""Placeholders for missing control files, so that something can be mounted over them.

They are empty folders, or files whose content means the same as no file. The user's own command (`up`, `generate`)
creates them without following a link, and removes them only while they are unchanged.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from sandboxd.errors import SandboxdError
from sandboxd.plan import beneath
from sandboxd.policy.protect import REFUSES_BARE, stub_text


def may_be(path: str) -> bool:
    """Whether `path` can be a placeholder's path within a workspace; for lists that anybody may have written.

    Any relative path can, since a repository's config may name any folder for its hooks.
    """
    return not {"", ".", ".."}.intersection(path.split("/"))


def make(workspace: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Create the placeholders; return the paths that did not exist.

    :raises UsageError: a symbolic link is on a path
    :raises EnvironmentFailure: one cannot be created; then none is left
    """
    created: list[str] = []
    try:
        with beneath.open_folder(workspace) as root:
            owner = os.fstat(root)
            for path in paths:
                if _make(root, path, owner):
                    created.append(path)
    except OSError as error:
        remove(workspace, created)
        raise beneath.cannot_write(path, error) from None
    except BaseException:
        remove(workspace, created)
        raise
    return tuple(created)


def remove(workspace: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Remove the placeholders that are unchanged and not needed; return their paths."""
    removed: list[str] = []
    # Links and what is no folder are a reason to leave a thing alone, not to fail.
    errors = (OSError, SandboxdError)
    with contextlib.suppress(*errors), beneath.open_folder(workspace) as root:
        for path in paths:
            with contextlib.suppress(*errors):
                if _remove(root, path):
                    removed.append(path)
    return tuple(removed)


def still_needed(workspace: str, paths: Iterable[str]) -> tuple[str, ...]:
    """The paths in `paths` that must stay after the sandbox is removed."""
    with contextlib.suppress(OSError, SandboxdError), beneath.open_folder(workspace) as root:
        return tuple(path for path in paths if _is_needed(root, path))
    return ()


def _is_needed(root: int, path: str) -> bool:
    """Whether `path` keeps git from taking the workspace for a bare repository, and a `HEAD` is there."""
    if path != REFUSES_BARE:
        return False
    try:
        os.lstat("HEAD", dir_fd=root)
    except FileNotFoundError:
        return False
    return True


def _remove(root: int, path: str) -> bool:
    if _is_needed(root, path):
        return False
    name = os.path.basename(path)
    with beneath.parent_of(root, path, create=False) as folder:
        text = stub_text(path)
        if text is None:
            os.rmdir(name, dir_fd=folder)
        elif beneath.says(root, path, text):
            os.unlink(name, dir_fd=folder)
        else:
            return False
    return True


def _make(root: int, path: str, owner: os.stat_result) -> bool:
    """Make one stub; False if it exists. Made by root, it gets the workspace's owner."""
    name = os.path.basename(path)
    with beneath.parent_of(root, path, create=False) as folder:
        try:
            text = stub_text(path)
            if text is not None:
                beneath.create(folder, name, text)
            else:
                os.mkdir(name, 0o755, dir_fd=folder)
        except FileExistsError:
            return False
        if os.geteuid() == 0:
            os.chown(name, owner.st_uid, owner.st_gid, dir_fd=folder, follow_symlinks=False)
    return True
