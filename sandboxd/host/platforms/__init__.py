"""Kinds of host: what each can do, why not more, and what to do about it; one module for each platform.

A module is a description (`TITLE`, its docstring, `RUN`, `ABILITIES`, `ALTERNATIVES`: docs/platforms.md is
made of them) and three functions. Of the modules that match a host, the one with the highest
`PRIORITY` judges it; `linux_native` matches where nothing else does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from sandboxd.host.facts import HostFacts


class Refusal(NamedTuple):
    """The reason why something is not possible here, and the exact next step."""

    why: str
    fix: str


class Advice(NamedTuple):
    """Advice for a platform's user.

    `limits` are sentences about what the platform cannot do; `steps` are commands, best first.
    """

    limits: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


class Ability(NamedTuple):
    """Whether one control is possible on this platform: ``yes``, ``no``, or ``if`` (then `why` names the condition)."""

    control: str
    possible: str
    why: str


class Alternative(NamedTuple):
    """A way to get a stronger sandbox; `steps` are the exact commands."""

    title: str
    why: str
    steps: tuple[str, ...]


class Run(NamedTuple):
    """When and on what the abilities of a platform were tested."""

    day: str
    on: str
    """The engine and its parts, with their versions."""
    records: Mapping[str, str]
    """What `doctor --raw` said there: names in `tests/hosts`, each with the beginning of its file's SHA-256."""


class Platform(Protocol):
    TITLE: str
    PRIORITY: int
    RUN: Run | None
    """None: its abilities are taken from documentation."""
    ABILITIES: tuple[Ability, ...]
    ALTERNATIVES: tuple[Alternative, ...]

    def matches(self, facts: HostFacts) -> bool: ...

    def why_no_gvisor(self, facts: HostFacts) -> Refusal:
        """The reason why there is no gVisor runtime; only called if no trial showed a working one."""

    def advice(self, facts: HostFacts) -> Advice: ...


_DEFAULT = "linux_native"
_loaded: dict[str, Platform] = {}


def load() -> dict[str, Platform]:
    """All platform modules by name, highest priority first."""
    if not _loaded:
        modules = {}
        for file in sorted(os.listdir(os.path.dirname(__file__))):
            if file.endswith(".py") and not file.startswith("_"):
                name = file[:-3]
                modules[name] = cast("Platform", import_module(f"sandboxd.host.platforms.{name}"))
        _loaded.update(sorted(modules.items(), key=lambda item: -item[1].PRIORITY))
    return _loaded


def name_of(facts: HostFacts) -> str:
    """The name of the platform module for this host."""
    return next((name for name, platform in load().items() if platform.matches(facts)), _DEFAULT)


def platform_of(facts: HostFacts) -> Platform:
    """The platform module for this host."""
    return load()[name_of(facts)]


def why_no_gateway(facts: HostFacts) -> Refusal | None:
    """The reason why this engine can run no gateway; None if it may be able to."""
    if facts.engine is None or facts.engine.kind != "podman":
        return None
    podman = import_module("sandboxd.host.platforms.podman")
    return cast("Refusal | None", podman.why_no_gateway(facts))


def why_nothing_starts(facts: HostFacts) -> Refusal | None:
    """The reason why the engine can start no container at all; None if one of its runtimes may work."""
    return cast("Refusal | None", import_module("sandboxd.host.platforms._engine").broken(facts))
