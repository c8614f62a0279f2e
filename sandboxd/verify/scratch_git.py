"""Replaces a sandbox's own git directory by an empty folder, which attempts may fill."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.engine_answers import CreateRequest, MountRequest

_OWN_GIT = re.compile(r"/sandboxd/git/[0-9a-f]{32}/(inside|verify-[0-9a-f]{16})\Z")


def is_own_git(source: str) -> bool:
    """Whether a path of the host is a sandbox's own git directory, or such an empty folder in its place."""
    return _OWN_GIT.search(source) is not None


@contextlib.contextmanager
def in_place(body: CreateRequest) -> Iterator[None]:
    """Change a create request to mount an empty folder in place of a git directory; it is removed at the end of the
    context.

    :raises EnvironmentFailure: the folder cannot be created
    """
    mounts = body["HostConfig"].get("Mounts") or []
    binds = body["HostConfig"].get("Binds") or []
    with contextlib.ExitStack() as stack:
        for number, mount in enumerate(mounts):
            if is_own_git(str(mount.get("Source") or "")):
                folder = stack.enter_context(_folder(os.path.dirname(mount["Source"])))
                other: MountRequest = {**mount, "Source": folder}
                mounts[number] = other
        # As Compose and older clients ask for them.
        for number, bind in enumerate(binds):
            source, _, rest = bind.partition(":")
            if is_own_git(source):
                folder = stack.enter_context(_folder(os.path.dirname(source)))
                binds[number] = f"{folder}:{rest}"
        yield


@contextlib.contextmanager
def _folder(place: str) -> Iterator[str]:
    path = os.path.join(place, f"verify-{secrets.token_hex(8)}")
    try:
        # What the plan mounts beside it, where nothing was started yet.
        os.makedirs(os.path.join(place, "empty"), mode=0o755, exist_ok=True)
        os.chmod(place, 0o700)
        os.mkdir(path)
        os.chmod(path, 0o777)  # noqa: S103 - only the mount shall stand in the way
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot write `{place}`: {(error.strerror or str(error)).lower()}",
            "make room there, or set XDG_STATE_HOME to a folder that you can write",
        ) from None
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
