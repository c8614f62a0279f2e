"""Records on which engines the host was seen to be unreachable from a gateway's inner network.

A gateway checks whether the host answers there, in parallel to the start of the workspace. On an engine without a
record, the workspace starts only after that check, so that nothing inside can talk to the host meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import TYPE_CHECKING

from sandboxd.errors import SandboxdError
from sandboxd.files import write_private
from sandboxd.folders import state_folder
from sandboxd.life import sources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.client import Engine


def place(environ: Mapping[str, str], engine: Engine, driver: str) -> str:
    """The path of the file whose existence records that the host is unreachable on an engine.

    It differs by the engine's address and version, its kernel, and the network driver.

    :param driver: that of the inner network
    """
    parts = [engine.host, driver, *_versions(engine)]
    name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
    return os.path.join(state_folder(environ), "isolation", name)


def _versions(engine: Engine) -> tuple[str, str]:
    """The engine's version and that of its kernel."""
    # To say its version an engine starts three programs, which takes longer than all else that is asked here.
    if sources.on_this_machine(engine) and (signature := engine.signature()):
        return signature, os.uname().release
    version = engine.version()
    return str(version.get("Version")), str(version.get("KernelVersion"))


def is_known(path: str) -> bool:
    """Whether the record `path` exists."""
    return os.path.lexists(path)


def note(path: str) -> None:
    """Create the record `path`; if it cannot be written, the next start waits for the check again."""
    with contextlib.suppress(OSError, SandboxdError):
        write_private(path, b"")
