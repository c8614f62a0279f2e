"""The policy minimum in force: if it was loosened, that takes effect once it is in the audit record.

A policy is changed with an editor, so nothing can record that beforehand. Instead, every operation that gives a sandbox
rights reads the policy here: the first that notices a loosening records it. Until that succeeds, the earlier demands
apply as well.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sandboxd.audit import notes
from sandboxd.audit.record import RecordFailure
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.file_lock import locked_beside
from sandboxd.files import MAX_BYTES, decode, read_bytes, write_private
from sandboxd.folders import state_folder
from sandboxd.policy.floor import NO_FLOOR, ORGANISATION, PROXY, Demand, Floor, combine, load

if TYPE_CHECKING:
    from sandboxd.policy.floor import Floor


_ONE_OF_EACH = frozenset({"network_allow", "clusters", "cluster_namespaces"})
"""Fields with several lists, all of which have to allow something."""


def keys_given_back(before: Floor, after: Floor) -> tuple[str, ...]:
    """The keys of `before` with a restriction that `after` does not have, each once, in order.

    Entries of lists are compared as text. So a host in place of a wildcard that covers it counts as a loosening, though
    it is none.
    """
    keys = dict.fromkeys(demand.key for demand in before.demands)
    return tuple(key for key in keys if _is_given_back(key, before, after))


def _is_given_back(key: str, before: Floor, after: Floor) -> bool:
    """Whether the demands of `before` about `key` would take something away from `after`."""
    # Exceptions from a proxy are no demand without it.
    is_of_proxy = key.startswith(PROXY)
    more = [d for d in before.demands if d.key == key or (is_of_proxy and d.key.startswith(PROXY))]
    both = combine((*after.demands, *more))
    return any(
        _is_tighter(field, getattr(both, field), getattr(after, field))
        for field in after._fields
        if field != "demands" and not (field == "no_open_network" and after.no_network)
    )


def _is_tighter(field: str, both: Any, after: Any) -> bool:
    if field not in _ONE_OF_EACH:
        return bool(_comparable(both) != _comparable(after))
    lists = [_comparable(each) for each in after]
    return any(not any(one <= _comparable(each) for one in lists) for each in both)


def _comparable(value: Any) -> Any:
    """`value` without order, and without the files that demands are from."""
    if isinstance(value, Demand):
        return frozenset(value.value)
    if isinstance(value, Mapping | frozenset) or type(value) in (tuple, list):
        return frozenset(map(_comparable, value))
    return value


_FILE = "policy-in-force.json"
_LOCK_SECONDS = 1.0
"""What a policy takes away is in force within 2 s, whatever became of a process that records what it gives back."""


def in_force(environ: Mapping[str, str], organisation: str = ORGANISATION) -> Floor:
    """The policy minimum to apply: that of the files, together with earlier demands whose removal is not recorded.

    :raises UsageError: as `floor.load`
    :raises EnvironmentFailure: the earlier demands are not known, and that cannot be recorded
    """
    try:
        return require(environ, organisation, _LOCK_SECONDS)
    except EnvironmentFailure:
        return combine((*load(environ, organisation).demands, *_last(environ).demands))


def require(
    environ: Mapping[str, str], organisation: str = ORGANISATION, seconds: float | None = None
) -> Floor:
    """The policy minimum of the files, after any loosening was recorded.

    :param seconds: the longest wait in seconds for another process that records one; None: no limit
    :raises EnvironmentFailure: that cannot be recorded; the earlier demands still apply
    :raises UsageError: as `floor.load`
    """
    now = load(environ, organisation)
    if not now.demands and not os.path.lexists(_path(environ)):
        return now
    try:
        if _last(environ).demands == now.demands:
            return now
    except EnvironmentFailure:
        pass  # recorded below
    with locked_beside(_path(environ), seconds=seconds):
        # Somebody may have recorded a later one while we waited: to go back would have it recorded twice.
        now = load(environ, organisation)
        _record(environ, now)
        _save(environ, now)
    return now


def _record(environ: Mapping[str, str], now: Floor) -> None:
    """Record what `now` gives back, if anything.

    :raises RecordFailure: it cannot be
    """
    try:
        before = _last(environ)
    except EnvironmentFailure as error:
        notes.require(environ, "policy", "", was=[error.message], now=_lines(now.demands))
        return
    keys = keys_given_back(before, now)
    if keys:
        was, is_now = (
            _lines(demand for demand in floor.demands if demand.key in keys)
            for floor in (before, now)
        )
        notes.require(environ, "policy", "", gives_back=list(keys), was=was, now=is_now)


def _lines(demands: Iterable[Demand]) -> list[str]:
    return [f"{demand.key} = {json.dumps(demand.value)} ({demand.path})" for demand in demands]


def _last(environ: Mapping[str, str]) -> Floor:
    """The floor that was in force last; the empty one where none is known.

    :raises EnvironmentFailure: it cannot be read
    """
    path = _path(environ)
    if not os.path.lexists(path):
        return NO_FLOOR
    try:
        demands = json.loads(decode(read_bytes(path, MAX_BYTES)))["demands"]
        return combine(Demand(str(key), value, str(file)) for key, value, file in demands)
    except (SandboxdError, ValueError, KeyError, TypeError):
        raise EnvironmentFailure(
            f"`{path}` cannot be read, so it is not known what the policy demanded before",
            "make room for the record, which then says so, or remove that file",
        ) from None


def _save(environ: Mapping[str, str], floor: Floor) -> None:
    """Remember `floor`.

    :raises RecordFailure: it cannot be, so that the next edit would not be seen
    """
    text = json.dumps({"version": 1, "demands": [list(each) for each in floor.demands]})
    try:
        write_private(_path(environ), text.encode())
    except (OSError, EnvironmentFailure) as error:
        reason = error.message if isinstance(error, EnvironmentFailure) else str(error.strerror)
        raise RecordFailure(
            f"what the policy demands cannot be remembered: {reason}",
            f"make room in `{state_folder(environ)}`, or correct its permissions",
        ) from None


def _path(environ: Mapping[str, str]) -> str:
    return os.path.join(state_folder(environ), _FILE)
