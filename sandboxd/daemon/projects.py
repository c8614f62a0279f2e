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

from sandboxd.daemon.scan import Scan
from sandboxd.errors import EnvironmentFailure, UnreadableError
from sandboxd.files import read_bytes, write_atomic
from sandboxd.host.folders import state_folder
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
    """One registered project and what is known of it. There may be thousands: every byte counts.

    `keeps` is False for one that is only looked at: nothing is written there.
    """

    __slots__ = (
        *("path", "engine", "keeps", "scan", "is_valid", "has_problem", "is_queued"),
        *("_packed", "_changes", "_dealt", "_work"),
    )

    def __init__(self, path: str, engine: EngineKey, keeps: bool = True) -> None:
        self.path = path
        self.engine = engine
        self.keeps = keeps
        self.scan = Scan(True, (), (path,), 0)
        self.is_valid = True
        self.has_problem = False
        self.is_queued = False
        """Somebody is about to look at it."""
        self._packed: bytes | None = None
        self._changes = 1
        self._dealt = 0
        self._work: asyncio.Lock | None = None

    @property
    def work(self) -> asyncio.Lock:
        """Held while its files are generated: one at a time."""
        if self._work is None:
            self._work = asyncio.Lock()
        return self._work

    @property
    def is_due(self) -> bool:
        """Whether something happened to it since it was last looked at."""
        return self._dealt != self._changes

    def happened(self) -> None:
        """From now on what is known of it is not to be believed."""
        self._changes += 1

    @property
    def changes(self) -> int:
        """Counts what happened to it."""
        return self._changes

    def dealt_with(self, changes: int) -> None:
        """What had happened when `changes` was read is dealt with."""
        self._dealt = changes

    @property
    def is_known(self) -> bool:
        """Whether it was looked at."""
        return self._packed is not None

    @property
    def examined(self) -> Examined | None:
        """What its files came to when they were last looked at, None before the first time."""
        return _unpack(self._packed) if self._packed is not None else None

    @examined.setter
    def examined(self, value: Examined) -> None:
        self._packed = _pack(value)
        self.is_valid = value.valid
        self.has_problem = bool(value.problem)


_pattern: list[bytes] = []
"""The first that was packed: all others hold nearly the same."""


def _pack(examined: Examined) -> bytes:
    data = pickle.dumps(examined, pickle.HIGHEST_PROTOCOL)
    if not _pattern:
        _pattern.append(data)
    packer = zlib.compressobj(1, zdict=_pattern[0])
    return packer.compress(data) + packer.flush()


def _unpack(packed: bytes) -> Examined:
    found: Examined = pickle.loads(zlib.decompressobj(zdict=_pattern[0]).decompress(packed))  # noqa: S301
    return found


def store_path(environ: Mapping[str, str]) -> str:
    """The file that remembers the projects."""
    return os.path.join(state_folder(environ), "projects.json")


def load(path: str) -> list[Tracked]:
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
            **({} if project.keeps else {"keeps": False}),
        }
        for project in projects.values()
    ]
    data = json.dumps({"version": 1, "projects": entries}, indent=1).encode("ascii")
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_atomic(path, data, 0o600)
    except (EnvironmentFailure, OSError) as error:
        log.warning("projects are not remembered: %s", error)


def _entry(item: Any) -> Tracked:
    path, host, context = item["path"], item.get("docker_host"), item.get("docker_context")
    if not isinstance(path, str) or not path.startswith("/"):
        raise ValueError("a path is not absolute")
    if not all(value is None or isinstance(value, str) for value in (host, context)):
        raise ValueError("an engine is not a string")
    return Tracked(path, EngineKey(host, context), item.get("keeps") is not False)
