"""Environment and working folder for commands in a sandbox, saved by its start.

The config's `remoteEnv` and `workspaceFolder` apply to what enters a container, not to the container. They
are saved in the user's state folder: `exec` reads no config."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.files import read_source, write_private
from sandboxd.folders import state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping


class Settings(NamedTuple):
    """The settings for commands in one container.

    `env` is ``NAME=value`` each; `folder` a folder inside, '' for the container's own.
    """

    env: tuple[str, ...] = ()
    folder: str = ""
    shell: tuple[str, ...] = ()
    """Further variables, ``NAME=value``, from the shell of the user inside; `env` takes precedence over them."""
    probed_at: str = ""
    """The container's start time (the engine's text) at which the shell was asked for its variables; '' if it was not.
    """


NOTHING = Settings()


def keep(environ: Mapping[str, str], workspace: str, container: str, settings: Settings) -> None:
    """Save the settings of a container; if they cannot be written, commands get the container's own."""
    path = _path(environ, workspace)
    with contextlib.suppress(OSError, SandboxdError):
        if settings == NOTHING:
            os.unlink(path)
            return
        record = {"workspace": workspace, "container": container, **settings._asdict()}
        write_private(path, json.dumps(record).encode())


def recall(environ: Mapping[str, str], workspace: str, container: str) -> Settings:
    """The settings of the container with this id; `NOTHING` where its start saved none."""
    path = _path(environ, workspace)
    try:
        # Most have none, and a command is to begin at once.
        if not os.path.exists(path):
            return NOTHING
        record = json.loads(read_source(path).text)
        if (record["workspace"], record["container"]) != (workspace, container):
            return NOTHING
        return Settings(
            tuple(str(variable) for variable in record["env"]),
            str(record["folder"]),
            tuple(str(variable) for variable in record.get("shell", ())),
            str(record.get("probed_at", "")),
        )
    except (SandboxdError, ValueError, KeyError, TypeError, RecursionError):
        return NOTHING


def _path(environ: Mapping[str, str], workspace: str) -> str:
    name = hashlib.sha256(os.fsencode(workspace)).hexdigest()[:32]
    return os.path.join(state_folder(environ), "commands", f"{name}.json")
