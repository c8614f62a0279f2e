"""Published escapes: one file each, `NAME.toml` beside this one. Adding one is adding a file.

`ids` are its names, `effect` is what it lets a container, an image or a repository do. `condition` says what
else it takes, and `needs` names a fact of the host without which it does nothing (``cuse``). `evidence` says
what sandboxd sees of it, and `attempts` which attempts of `verify` try it. Each `affected` is a component
with the first repaired version of each branch (none: it is not repaired), each `package` the first repaired
one of a distribution's release. All was compared with `source` on the day `reviewed`; what could not be is
not here, so a missing entry says nothing of a version."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from datetime import date

_FOLDER = os.path.dirname(__file__)
_NEEDED = frozenset({"ids", "effect", "evidence", "source", "published", "reviewed", "affected"})
_POSSIBLE = _NEEDED | {"condition", "needs", "attempts", "package"}


class Affected(NamedTuple):
    """The affected versions of one component.

    `fixed` has the first repaired version of each branch: a branch that is older than all of them was never repaired,
    and with () no version is repaired. `since` is the first affected version, '' for the very first. `system` is set
    where only one operating system is affected (``Darwin``).
    """

    component: str
    fixed: tuple[str, ...] = ()
    since: str = ""
    system: str = ""


class Package(NamedTuple):
    """The first repaired version of a package in a release of a distribution: ``debian``, ``trixie``, ``runc``."""

    distribution: str
    release: str
    name: str
    fixed: str
    source: str


class Advisory(NamedTuple):
    """A published escape; the docstring of this module gives the meaning of each field."""

    name: str
    ids: tuple[str, ...]
    effect: str
    affected: tuple[Affected, ...]
    published: date
    source: str
    reviewed: date
    evidence: str = ""
    condition: str = ""
    needs: str = ""
    attempts: tuple[str, ...] = ()
    packages: tuple[Package, ...] = ()


@functools.cache
def names() -> tuple[str, ...]:
    """Names of all advisories that ship."""
    return tuple(sorted(name[:-5] for name in os.listdir(_FOLDER) if name.endswith(".toml")))


def path(name: str) -> str:
    """The file of the advisory `name`."""
    return os.path.join(_FOLDER, f"{name}.toml")


@functools.cache
def load_all() -> tuple[Advisory, ...]:
    """Every advisory that ships, by name."""
    return tuple(_load(name) for name in names())


def get(name: str) -> Advisory:
    """The advisory `name`.

    :raises KeyError: there is none
    """
    return {advisory.name: advisory for advisory in load_all()}[name]


def _load(name: str) -> Advisory:
    import tomllib

    with open(path(name), "rb") as file:
        return parse(name, tomllib.load(file))


def parse(name: str, data: dict[str, Any]) -> Advisory:
    """The advisory `name` in the parsed TOML of its file.

    :raises ValueError: a key is missing or unknown
    """
    if not _NEEDED <= data.keys() <= _POSSIBLE:
        odd = sorted((_NEEDED - data.keys()) | (data.keys() - _POSSIBLE))
        raise ValueError(f"advisory {name}: missing or unknown: {', '.join(odd)}")
    return Advisory(
        name,
        tuple(data["ids"]),
        data["effect"],
        tuple(_affected(entry) for entry in data["affected"]),
        data["published"],
        data["source"],
        data["reviewed"],
        data["evidence"],
        data.get("condition", ""),
        data.get("needs", ""),
        tuple(data.get("attempts", ())),
        tuple(Package(**entry) for entry in data.get("package", ())),
    )


def _affected(entry: dict[str, Any]) -> Affected:
    return Affected(**{**entry, "fixed": tuple(entry["fixed"])})
