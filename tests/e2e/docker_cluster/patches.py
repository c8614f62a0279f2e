"""How a patch changes an object: server-side apply with its owners, and the merges of older clients.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/. Owners are kept per field by the
whole of what each last applied, beside the object and not in `managedFields`.
"""

from __future__ import annotations

import copy
from typing import Any

from tests.e2e.docker_cluster.failures import Refused

Path = tuple[str, ...]

_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "volumeMounts": ("mountPath",),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
}
"""Lists whose entries are told apart by a field; every other list is one value."""


def _keys(name: str, entries: list[Any]) -> tuple[str, ...]:
    if name == "ports" and entries and isinstance(entries[0], dict):
        return ("containerPort" if "containerPort" in entries[0] else "port", "protocol")
    return _KEYS.get(name, ())


def _identity(entry: dict[str, Any], keys: tuple[str, ...]) -> str:
    return "|".join(str(entry.get(key, "TCP" if key == "protocol" else "")) for key in keys)


class Owners:
    """Who applied what to one object."""

    def __init__(self) -> None:
        self._applied: dict[str, dict[str, Any]] = {}

    def apply(
        self, live: dict[str, Any], wanted: dict[str, Any], manager: str, force: bool
    ) -> dict[str, Any]:
        """`live` with what `manager` wants, and without what it wanted before.

        :raises Refused: another manager wants another value of a field
        """
        ours = _leaves(_without_identity(wanted))
        clashes = []
        for other, applied in self._applied.items():
            theirs = _leaves(applied)
            differing = [path for path in ours if path in theirs and theirs[path] != ours[path]]
            if differing and other != manager:
                clashes.append((other, differing))
        if clashes and not force:
            raise _conflict(clashes)
        for other, differing in clashes:
            for path in differing:
                _drop(self._applied[other], path)
        result: dict[str, Any] = merge(live, _without_identity(wanted))
        before = _leaves(self._applied.get(manager, {}))
        kept = set(ours).union(*(_leaves(a) for o, a in self._applied.items() if o != manager))
        for path in before:
            if path not in kept:
                _drop(result, path)
        self._applied[manager] = _without_identity(wanted)
        return result


def _conflict(clashes: list[tuple[str, list[Path]]]) -> Refused:
    lines, causes = [], []
    for other, paths in clashes:
        for path in paths:
            field = "." + ".".join(path)
            lines.append(f'conflict with "{other}": {field}')
            causes.append(
                {
                    "reason": "FieldManagerConflict",
                    "message": f'conflict with "{other}"',
                    "field": field,
                }
            )
    number = f"{len(lines)} conflict{'s' if len(lines) > 1 else ''}"
    return Refused(409, f"Apply failed with {number}: {'; '.join(lines)}", causes=causes)


def _without_identity(wanted: dict[str, Any]) -> dict[str, Any]:
    wanted = copy.deepcopy(wanted)
    for name in ("apiVersion", "kind", "status"):
        wanted.pop(name, None)
    for name in (
        "name",
        "namespace",
        "managedFields",
        "creationTimestamp",
        "uid",
        "resourceVersion",
    ):
        wanted.get("metadata", {}).pop(name, None)
    return wanted


def _leaves(value: Any, name: str = "", path: Path = ()) -> dict[Path, Any]:
    """Every value with the path to it; an entry of a keyed list has its key in the path."""
    found: dict[Path, Any] = {}
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            found |= _leaves(inner, key, (*path, key))
        return found
    keys = _keys(name, value) if isinstance(value, list) else ()
    if keys:
        for entry in value:
            found |= _leaves(entry, "", (*path, f"[{_identity(entry, keys)}]"))
        return found
    return {path: value}


def _drop(value: Any, path: Path) -> None:
    """Take the value at `path` away, and what is empty without it."""
    if not path:
        return
    if path[0].startswith("[") and isinstance(value, list):
        return  # an entry goes with its list's own path; half an entry stays
    if not isinstance(value, dict) or path[0] not in value:
        return
    if len(path) == 1:
        del value[path[0]]
        return
    inner = value[path[0]]
    if path[1].startswith("[") and isinstance(inner, list):
        keys = _keys(path[0], inner)
        for entry in [e for e in inner if f"[{_identity(e, keys)}]" == path[1]]:
            if path[2:] and path[2] not in keys:
                _drop(entry, path[2:])
            else:
                inner.remove(entry)
    else:
        _drop(inner, path[1:])
    if not inner:
        del value[path[0]]


def merge(live: Any, wanted: Any, name: str = "") -> Any:
    """`live` with what `wanted` says: fields one by one, keyed lists entry by entry, null takes away."""
    if isinstance(wanted, list):
        entries = [e for e in wanted if not (isinstance(e, dict) and "$patch" in e)]
        keys = _keys(name, entries or (live if isinstance(live, list) else []))
        if not keys or not isinstance(live, list):
            return copy.deepcopy(entries)
        gone = {_identity(e, keys) for e in wanted if isinstance(e, dict) and "$patch" in e}
        result = {_identity(e, keys): copy.deepcopy(e) for e in live}
        for entry in entries:
            result[_identity(entry, keys)] = merge(result.get(_identity(entry, keys), {}), entry)
        return [value for key, value in result.items() if key not in gone]
    if not isinstance(wanted, dict):
        return wanted
    merged = copy.deepcopy(live) if isinstance(live, dict) else {}
    for key, value in wanted.items():
        if key.startswith("$"):
            continue
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value, key)
    return merged


def merge_plain(live: Any, wanted: Any) -> Any:
    """RFC 7396: a list is one value."""
    if not isinstance(wanted, dict):
        return wanted
    merged = copy.deepcopy(live) if isinstance(live, dict) else {}
    for key, value in wanted.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_plain(merged.get(key), value)
    return merged
