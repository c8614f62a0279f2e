"""The size of the caches of packages, and its bound, for `doctor`."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from sandboxd.errors import UsageError
from sandboxd.life import cache_uses
from sandboxd.policy import cache_size
from sandboxd.screen import duration, size_text

if TYPE_CHECKING:
    from sandboxd.host.facts import HostFacts
    from sandboxd.life.cache_uses import Measured


def caches_line(facts: HostFacts) -> str:
    """The size of the caches at the last look, and their bound, in words."""
    try:
        bound = f"at most {size_text(cache_size.bound(os.environ))} in all"
    except UsageError as error:
        bound = f"their bound is not known: {error.message}"
    measured = _measured(facts)
    if measured is None:
        return f"of packages: not measured yet, {bound}; `sandboxd prune` measures them"
    age = duration(max(0.0, time.time() - measured.at))
    return f"of packages: {size_text(measured.size)} {age} ago, {bound}"


def caches_document(facts: HostFacts) -> dict[str, Any]:
    """`bytes` at the time `measured` in seconds since 1970, and `bound`; null for what is not known."""
    try:
        bound: int | None = cache_size.bound(os.environ)
    except UsageError:
        bound = None
    measured = _measured(facts)
    return {
        "bytes": measured.size if measured is not None else None,
        "measured": measured.at if measured is not None else None,
        "bound": bound,
    }


def _measured(facts: HostFacts) -> Measured | None:
    host = facts.engine.host if facts.engine is not None else ""
    return cache_uses.recall(os.environ).measured.get(host)
