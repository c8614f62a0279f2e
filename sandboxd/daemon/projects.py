"""The projects that the daemon keeps generated, remembered across restarts."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from sandboxd.daemon.paths import state_folder
from sandboxd.daemon.scan import Scan
from sandboxd.errors import EnvironmentFailure, UnreadableError
from sandboxd.files import read_bytes, write_atomic
from sandboxd.status.combine import Examined

_LARGEST = 16 * 1024 * 1024

log = logging.getLogger(__name__)


class EngineKey(NamedTuple):
    """Which engine a caller means: its DOCKER_HOST and DOCKER_CONTEXT."""

    host: str | None
    context: str | None

    def environ(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` with these two set as the caller has them."""
        result = {
            name: value
            for name, value in base.items()
            if name not in ("DOCKER_HOST", "DOCKER_CONTEXT")
        }
        if self.host is not None:
            result["DOCKER_HOST"] = self.host
        if self.context is not None:
            result["DOCKER_CONTEXT"] = self.context
        return result


class Tracked:
    """One registered project and what is known of it."""

    def __init__(self, path: str, engine: EngineKey) -> None:
        self.path = path
        self.engine = engine
        self.scan = Scan(True, (), (path,), 0)
        self._packed: bytes | None = None
        self.work = asyncio.Lock()
        """Held while its files are generated: one at a time."""

    @property
    def examined(self) -> Examined | None:
        """What its files came to when they were last looked at, None before the first time.

        Packed, since there may be thousands of projects and hardly ever does anybody ask.
        """
        return pickle.loads(zlib.decompress(self._packed)) if self._packed is not None else None  # noqa: S301

    @examined.setter
    def examined(self, value: Examined) -> None:
        self._packed = zlib.compress(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), 1)


def store_path(environ: Mapping[str, str]) -> str:
    """The file that remembers the projects."""
    return os.path.join(state_folder(environ), "projects.json")


def load(path: str) -> list[tuple[str, EngineKey]]:
    """The remembered projects; a file that cannot be used is said in the log and kept aside."""
    try:
        document = json.loads(read_bytes(path, _LARGEST))
        return [_entry(item) for item in document["projects"]]
    except UnreadableError as error:
        if os.path.lexists(path):
            log.warning("`%s` %s; starting without projects", path, error.message)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        log.warning("`%s` is damaged (%s); kept as `%s.bad`", path, error, path)
        os.replace(path, path + ".bad")
    return []


def save(path: str, projects: Mapping[str, Tracked]) -> None:
    """Remember `projects`; a failure is logged, the daemon goes on."""
    entries = [
        {
            "path": project.path,
            "docker_host": project.engine.host,
            "docker_context": project.engine.context,
        }
        for project in projects.values()
    ]
    data = json.dumps({"version": 1, "projects": entries}, indent=1).encode("ascii")
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_atomic(path, data, 0o600)
    except (EnvironmentFailure, OSError) as error:
        log.warning("projects are not remembered: %s", error)


def _entry(item: Any) -> tuple[str, EngineKey]:
    path, host, context = item["path"], item.get("docker_host"), item.get("docker_context")
    if not isinstance(path, str) or not path.startswith("/"):
        raise ValueError("a path is not absolute")
    if not all(value is None or isinstance(value, str) for value in (host, context)):
        raise ValueError("an engine is not a string")
    return path, EngineKey(host, context)
