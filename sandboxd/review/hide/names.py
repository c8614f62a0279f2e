"""Recognises a file of secrets by its name, by the tables of `check`. Pure."""

from __future__ import annotations

import fnmatch
import functools
import re

from sandboxd.credential_places import EXAMPLES, IN_PROJECTS, PLACES, PUBLIC, USED_BY_PROJECTS
from sandboxd.policy.acts_on_host import plain_name

_LEFT_BY_EDITORS = re.compile(
    r"^(?:\.#|#)|(?:~|#|\.sw[a-z]|\.(?:bak|backup|copy|old|orig|rej|save|tmp|swp))$"
)
_MOST_ENDINGS = 4
_PLACES = {
    tuple(path.lower().split("/")): kind
    for path, kind in PLACES.items()
    if path not in USED_BY_PROJECTS
}
_PUBLIC = frozenset(tuple(path.lower().strip("/").split("/")) for path in PUBLIC)
_LONGEST_PLACE = max(map(len, _PLACES))


@functools.lru_cache(maxsize=65536)
def secret_by_name(path: str) -> str:
    """The kind of secret that the file or folder `path` holds by its name, a phrase; '' for none.

    A copy that an editor or a person left beside a file counts as the file: `.env~`, `id_rsa.bak`.

    :param path: relative to the workspace
    """
    parts = tuple(plain_name(part) for part in path.split("/"))
    for name in _originals(parts[-1]):
        kind = _of_file(name) or _of_place((*parts[:-1], name))
        if kind:
            return kind
    return ""


def _originals(name: str) -> list[str]:
    """`name`, and the names of the files that it may be a copy of."""
    names = [name]
    while len(names) <= _MOST_ENDINGS:
        shorter = _LEFT_BY_EDITORS.sub("", names[-1])
        if shorter == names[-1] or not shorter:
            break
        names.append(shorter)
    # Vim puts a dot before the name of a swap file, if that has none yet.
    return [*names, *(each[1:] for each in names[1:] if each.startswith("."))]


def _of_file(name: str) -> str:
    if re.split(r"[.-]", name)[-1] in EXAMPLES:
        return ""
    return next((kind for glob, kind in _files().items() if glob.match(name)), "")


@functools.cache
def _files() -> dict[re.Pattern[str], str]:
    return {re.compile(fnmatch.translate(glob)): kind for glob, kind in IN_PROJECTS.items()}


def _of_place(parts: tuple[str, ...]) -> str:
    for length in range(1, min(_LONGEST_PLACE, len(parts)) + 1):
        if parts[-length:] in _PUBLIC:
            return ""
        kind = _PLACES.get(parts[-length:])
        if kind:
            return kind
    return ""
