"""Compares two policy minimums: what one allows that the other forbids. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandboxd.policy.floor import PROXY, Demand, combine

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
