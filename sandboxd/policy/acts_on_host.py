"""The files of a workspace on which programs of the host act, recognised by name, however the name is spelt.

When one of these is copied out of a sandbox, the sandbox gains influence on the host: git, an editor, a shell or a CI
acts on it with the rights of whoever uses the workspace. The names are in `acts_on_host_table`.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.policy.acts_on_host_table import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.policy.acts_on_host_table import Row, Weight

# Where these lie side by side, git sees a repository, however the folder is called.
_REPOSITORY = "git takes a folder with it for a repository, and runs what that one's config names"
_OF_A_REPOSITORY = ("config", "config.worktree", "commondir")

_ORDER: tuple[Weight, ...] = ("never", "control", "runs")


class _Index(NamedTuple):
    """Rows by the folded parts of their names; those with a `*` as patterns, with their depth."""

    names: dict[tuple[str, ...], Row]
    below: dict[tuple[str, ...], Row]
    """By the folder in which all files count."""
    patterns: tuple[tuple[re.Pattern[str], int, Row], ...]
    deepest: int
    any_pattern: re.Pattern[str]
    """Matches what one of the patterns does: a workspace has thousands of names, and few match."""


@functools.cache
def _index() -> _Index:
    names: dict[tuple[str, ...], Row] = {}
    below: dict[tuple[str, ...], Row] = {}
    patterns: list[tuple[re.Pattern[str], int, Row]] = []
    for row in ROWS:
        for name in row.names:
            parts = tuple(name.casefold().split("/"))
            if parts[-1] == "**":
                below[parts[:-1]] = row
            elif "*" in name:
                text = re.escape("/".join(parts)).replace(r"\*", "[^/]*")
                patterns.append((re.compile(text), len(parts), row))
            else:
                names[parts] = row
    together = re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _, _ in patterns))
    deepest = max(*map(len, names), *map(len, below), *(depth for _, depth, _ in patterns))
    return _Index(names, below, tuple(patterns), deepest, together)


def weigh(path: str) -> tuple[Weight, str]:
    """How a change of `path` has to be treated, and the reason in words ('' for none).

    ``never``: it is in a repository's own folder; ``control``: a tool acts on it automatically; ``runs``: it runs when
    the project is built or tested; '': none of these.
    """
    parts = tuple(plain_name(part) for part in path.split("/"))
    rows = list(_rows(parts))
    for weight in _ORDER:
        for row in rows:
            if row.weight == weight:
                return weight, row.why
        if weight == "control" and parts[-1] == "head":
            return "control", _REPOSITORY
    return "", ""


def _rows(parts: tuple[str, ...]) -> Iterator[Row]:
    """The rows that name `parts` or a folder above it. A row that ``runs`` names files, if not all in a folder."""
    deepest = _index().deepest
    for start in range(len(parts)):
        for end in range(start + 1, min(start + deepest, len(parts)) + 1):
            is_file = end == len(parts)
            for row in _rows_of(parts[start:end]):
                if is_file or row.weight != "runs":
                    yield row
            if not is_file and (row_below := _index().below.get(parts[start:end])) is not None:
                yield row_below


@functools.lru_cache(maxsize=4096)
def _rows_of(name: tuple[str, ...]) -> tuple[Row, ...]:
    index = _index()
    text = "/".join(name)
    rows = [index.names[name]] if name in index.names else []
    if index.any_pattern.fullmatch(text):
        rows += [
            row
            for pattern, depth, row in index.patterns
            if depth == len(name) and pattern.fullmatch(text)
        ]
    return tuple(rows)


def root_names() -> tuple[str, ...]:
    """Every name without a wildcard on which tools act automatically, as the tool spells it."""
    return tuple(
        name for row in ROWS if row.weight == "control" for name in row.names if "*" not in name
    )


def beside_head(path: str) -> str:
    """The reason why a change of `path` matters if its folder contains a file `HEAD`; '' if it does not matter."""
    name = plain_name(path.rpartition("/")[2])
    return _REPOSITORY if name in _OF_A_REPOSITORY else ""


def plain_name(part: str) -> str:
    """A name in the form in which file systems that ignore case or drop characters compare it."""
    if part.isascii() and part.isprintable():
        return part.casefold().split(":")[0].rstrip(" .") or part
    text = unicodedata.normalize("NFKC", part)
    text = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc"))
    return text.casefold().split(":")[0].rstrip(" .") or part


def plain_path(path: str) -> str:
    """A path with each of its names as `plain_name` has it."""
    return "/".join(map(plain_name, path.split("/")))
