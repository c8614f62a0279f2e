"""What each kind of host can do, why not more, and what to do: one module for each platform.

A module has `matches(facts)`, `why_no_gvisor(facts)` and `advice(facts)`; the first that matches
in the order of names judges the host, `linux_native` where none does.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from sandboxd.host.facts import HostFacts


class Refusal(NamedTuple):
    """Why something cannot be had here, and the exact next step."""

    why: str
    fix: str


class Advice(NamedTuple):
    """`limits` are sentences about what this platform cannot do; `steps` are commands, best first."""

    limits: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


class Platform(Protocol):
    def matches(self, facts: HostFacts) -> bool: ...

    def why_no_gvisor(self, facts: HostFacts) -> Refusal:
        """Asked only where no gVisor runtime was seen to work."""

    def advice(self, facts: HostFacts) -> Advice: ...


_DEFAULT = "linux_native"
_loaded: dict[str, Platform] = {}


def platform_of(facts: HostFacts) -> Platform:
    """The module that judges this host."""
    if not _loaded:
        for file in sorted(os.listdir(os.path.dirname(__file__))):
            if file.endswith(".py") and not file.startswith("_"):
                name = file[:-3]
                _loaded[name] = cast("Platform", import_module(f"sandboxd.platforms.{name}"))
    for name, platform in _loaded.items():
        if name != _DEFAULT and platform.matches(facts):
            return platform
    return _loaded[_DEFAULT]
