"""A project that the daemon knows, and the engine that it was registered for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple, cast

from sandboxd.daemon.scan import Scan
from sandboxd.ipc.messages import ENGINE_VARIABLES
from sandboxd.status.combine import Examined


class EngineKey(NamedTuple):
    """The engine that a client means: the values of `messages.ENGINE_VARIABLES` in its environment, None for an unset
    one.
    """

    host: str | None
    context: str | None
    config: str | None = None
    certificates: str | None = None
    tls: str | None = None
    tls_verify: str | None = None
    agent: str | None = None

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> EngineKey:
        """The key for a client's environment variables."""
        return cls(*(variables.get(name) for name in ENGINE_VARIABLES))

    def variables(self) -> dict[str, str]:
        """The variables that are set."""
        pairs = zip(ENGINE_VARIABLES, self, strict=True)
        return {name: value for name, value in pairs if value is not None}

    def environ(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` with exactly these engine variables; others of `ENGINE_VARIABLES` are removed."""
        others = {name: base[name] for name in base if name not in ENGINE_VARIABLES}
        return {**others, **self.variables()}


class Tracked:
    """One registered project and what is known of it. There may be thousands, so its size matters.

    `keeps` is False for a project that is only observed: nothing is written into it.
    """

    __slots__ = (
        *("path", "engine", "keeps", "scan", "is_valid", "has_problem", "is_queued"),
        *("missing_since", "_examined", "_changes", "_dealt", "_work"),
    )

    def __init__(self, path: str, engine: EngineKey, keeps: bool = True) -> None:
        self.path = path
        self.engine = engine
        self.keeps = keeps
        self.scan = Scan(True, (), (path,), 0)
        self.is_valid = True
        self.has_problem = False
        self.is_queued = False
        """Whether an examination of it is about to begin."""
        self.missing_since: float | None = None
        """The time at which its folder was first seen to be gone, in seconds since 1970."""
        self._examined: Examined | None = None
        self._changes = 1
        self._dealt = 0
        self._work: asyncio.Lock | None = None

    @property
    def work(self) -> asyncio.Lock:
        """The lock that is held while its files are examined or generated."""
        if self._work is None:
            self._work = asyncio.Lock()
        return self._work

    @property
    def is_due(self) -> bool:
        """Whether it changed since it was last examined."""
        return self._dealt != self._changes

    def happened(self) -> None:
        """Note a change: its known state is outdated until it is examined again."""
        self._changes += 1

    @property
    def changes(self) -> int:
        """The number of changes that were noted so far."""
        return self._changes

    def dealt_with(self, changes: int) -> None:
        """Note that it was examined after its first `changes` changes."""
        self._dealt = changes

    @property
    def is_known(self) -> bool:
        """Whether it was ever examined."""
        return self._examined is not None

    @property
    def examined(self) -> Examined | None:
        """The result of its last examination; None before the first one."""
        return self._examined

    @examined.setter
    def examined(self, value: Examined) -> None:
        self._examined = _share(value)
        self.is_valid = value.valid or value.lacks_grant
        self.has_problem = bool(value.problem)


_patterns: dict[str | None, Examined] = {}
"""The first of each profile: all others hold nearly the same."""


def _share(examined: Examined) -> Examined:
    """An equal value that shares its parts with other projects of the profile, in a quarter of the memory."""
    return cast(Examined, _shared(examined, _patterns.setdefault(examined.profile, examined)))


def _shared(value: object, pattern: object) -> object:
    if type(value) is not type(pattern):
        return value
    if not isinstance(value, tuple) or not isinstance(pattern, tuple):
        return pattern if value == pattern else value
    if len(value) != len(pattern):
        return value
    items = [_shared(item, like) for item, like in zip(value, pattern, strict=True)]
    if all(item is like for item, like in zip(items, pattern, strict=True)):
        return pattern
    return value._make(items) if hasattr(value, "_make") else tuple(items)
