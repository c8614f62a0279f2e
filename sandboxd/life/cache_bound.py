"""The size limit of all package caches together: those unused for longest are removed first.

A cache is made again by the tool that fills it, so none is worth a full disk. One that a container has,
whether it runs or not, stays."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.life import cache_uses
from sandboxd.life.cache_uses import Measured
from sandboxd.model.labels import VOLUME
from sandboxd.plan.lasting import beginning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.engine.client import Engine
    from sandboxd.model.engine_answers import Volume


class Cache(NamedTuple):
    """One cache volume; `size` in bytes, `used` is higher for one that was used later, 0 for unknown."""

    name: str
    size: int
    is_in_use: bool
    used: int


class Bounded(NamedTuple):
    """The result of trimming: `size` in bytes of the caches left, and the removed volumes."""

    size: int
    removed: tuple[str, ...]


def find(engine: Engine, environ: Mapping[str, str]) -> tuple[Cache, ...]:
    """The caches on an engine with their sizes, for which the engine reads all its volumes.

    A size that the engine does not know counts as 0, and such a cache as in use.

    :raises EnvironmentFailure: the engine does not answer
    """
    order = cache_uses.recall(environ).order
    names = [each["Name"] for each in engine.volumes(VOLUME) if _is_ours(each)]
    uses = engine.volume_uses() if names else {}
    caches = []
    for name in names:
        size, users = uses.get(name, (None, None))
        caches.append(Cache(name, size or 0, users != 0, order.get(name, 0)))
    return tuple(caches)


def _is_ours(volume: Volume) -> bool:
    sandbox = (volume.get("Labels") or {}).get(VOLUME, "")
    return volume["Name"].startswith(beginning("caches", sandbox))


def choose(caches: tuple[Cache, ...], bound: int) -> tuple[Cache, ...]:
    """The caches to remove so that the rest have at most `bound` bytes, as far as that is possible. Pure.

    The one that was used last stays: a start may be about to mount it.
    """
    total = sum(cache.size for cache in caches)
    latest = max((cache.used for cache in caches), default=0)
    chosen = []
    for cache in sorted(caches, key=lambda cache: (cache.used, -cache.size, cache.name)):
        if total <= bound:
            break
        if cache.size and not cache.is_in_use and not 0 < cache.used == latest:
            chosen.append(cache)
            total -= cache.size
    return tuple(chosen)


def keep_within(engine: Engine, environ: Mapping[str, str], bound: int) -> Bounded:
    """Measure the caches, note their size, and remove those above the limit.

    :raises EnvironmentFailure: the engine does not answer
    """
    caches = find(engine, environ)
    # One that a container took meanwhile is not removed.
    gone = [cache for cache in choose(caches, bound) if engine.remove_volume(cache.name)]
    size = sum(cache.size for cache in caches) - sum(cache.size for cache in gone)
    cache_uses.note_size(environ, engine.host, Measured(time.time(), size))
    return Bounded(size, tuple(cache.name for cache in gone))


def is_due(engine: Engine, environ: Mapping[str, str]) -> bool:
    """Whether the caches of an engine were last measured more than a day ago."""
    measured = cache_uses.recall(environ).measured.get(engine.host)
    return measured is None or not measured.is_recent(time.time())
