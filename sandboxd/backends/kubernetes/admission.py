"""Finds what the cluster's admission controllers changed in an object: changed fields, and additions such as
sidecars.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_QUANTITY = re.compile(r"([0-9.]+)(m|k|Ki|M|Mi|G|Gi|T|Ti)?\Z")
_FACTORS = {
    None: 1.0, "m": 1e-3, "k": 1e3, "Ki": 2.0**10, "M": 1e6, "Mi": 2.0**20, "G": 1e9, "Gi": 2.0**30, "T": 1e12,
    "Ti": 2.0**40,
}  # fmt: skip
_BESIDE = ("containers", "initContainers", "ephemeralContainers", "volumes", "volumeMounts", "env", "envFrom",
           "imagePullSecrets", "ports", "nameservers", "egress", "ingress")  # fmt: skip
"""Lists to which a webhook adds: a sidecar, a volume, a variable. Defaults add to others."""
_ALONE = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers", "runtimeClassName", "hostAliases",
          "add", "privileged", "procMount", "args", "lifecycle", "livenessProbe", "startupProbe")  # fmt: skip
"""Fields that weaken where they are there though we wrote none."""
_MOST = 40
_LONGEST = 80


class Change(NamedTuple):
    """A field of an object that differs from what was written; values are as text, cut to `_LONGEST`."""

    path: str
    before: str | None
    """The value that was written; None if there was none."""
    after: str | None
    """The value on the cluster; None if it was taken away."""
    is_item: bool = False
    """Whether `after` is one more item of the list at `path`."""

    @property
    def words(self) -> str:
        if self.is_item:
            return f"`{self.path}` has one more: `{self.after}`"
        if self.before is None:
            return f"`{self.path}` was added: `{self.after}`"
        if self.after is None:
            return f"`{self.path}` was taken away: it was `{self.before}`"
        return f"`{self.path}` is `{self.after}`, and was `{self.before}`"


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Change]:
    """Each field of `theirs` that differs from `ours`.

    :param ours: the object as it was applied
    :param theirs: the object as the cluster returned it
    """
    results = []
    for key in ("spec", "data", "binaryData"):
        if key in ours:
            results += list(_of(key, ours[key], theirs.get(key)))
    for key in ("labels", "annotations"):
        written = (ours.get("metadata") or {}).get(key) or {}
        results += list(
            _of(f"metadata.{key}", written, (theirs.get("metadata") or {}).get(key) or {})
        )
    return results[:_MOST]


def _of(path: str, ours: Any, theirs: Any) -> Iterator[Change]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from _of(f"{path}.{key}", value, theirs.get(key))
        for key in (*_BESIDE, *_ALONE):
            if key not in ours and theirs.get(key):
                yield Change(f"{path}.{key}", None, _shown(theirs[key]))
    elif isinstance(ours, list) and isinstance(theirs, list):
        yield from _of_list(path, ours, theirs)
    elif not _same(ours, theirs):
        yield Change(path, _shown(ours), None if theirs is None else _shown(theirs))


def _of_list(path: str, ours: list[Any], theirs: list[Any]) -> Iterator[Change]:
    key = "mountPath" if path.endswith("volumeMounts") else "name"
    is_named = all(isinstance(each, dict) and key in each for each in (*ours, *theirs))
    if is_named and path.rpartition(".")[2] != "ports":
        present = {each[key]: each for each in theirs}
        for each in ours:
            yield from _of(f"{path}[{each[key]}]", each, present.pop(each[key], None))
        rest = list(present.values())
    else:
        for number, each in enumerate(ours):
            yield from _of(
                f"{path}[{number}]", each, theirs[number] if number < len(theirs) else None
            )
        rest = theirs[len(ours) :]
    if path.rpartition(".")[2] in _BESIDE:
        for each in rest:
            name = each.get(key) if isinstance(each, dict) else None
            yield Change(path, None, str(name) if name else _shown(each), is_item=True)


def _same(ours: Any, theirs: Any) -> bool:
    if ours == theirs or str(ours) == str(theirs):
        return True
    if ours in ({}, [], "", None) and theirs in ({}, [], "", None):
        return True
    first, second = _amount(ours), _amount(theirs)
    return first is not None and first == second


def _amount(value: Any) -> float | None:
    match = _QUANTITY.match(str(value))
    return (
        float(match[1]) * _FACTORS[match[2]]
        if match is not None and match[1].count(".") < 2
        else None
    )


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return f"{text[:_LONGEST]}{'...' if len(text) > _LONGEST else ''}"
