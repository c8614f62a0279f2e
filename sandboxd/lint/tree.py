"""Finds the files that `check` looks at: those named, and those in folders that git does not ignore."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd import files, formats
from sandboxd.errors import UnreadableError
from sandboxd.findings import Skipped

if TYPE_CHECKING:
    from sandboxd.lint.gitignore import Ignore

# The most names that a walk looks at, so that a check of a huge folder ends soon.
MAX_ENTRIES = 200_000
MAX_DEPTH = 40
_MOST_BEHIND_A_LINK = 64
_FOLDER_OF_CONFIGS = ".devcontainer"
_LOOKED_AT = 20_000
"""Bytes: as far as kinds look for what they know a file by."""
_NOT_ENTERED = frozenset(
    {".git", ".hg", ".svn", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".mypy_cache"}
)


class Targets(NamedTuple):
    """The files to check, in order, as absolute paths; and what the search could not look at."""

    files: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    ignored: tuple[str, ...] = ()
    """Paths of files of a checked kind that git ignores; folders that git ignores are not searched."""


def find(paths: list[str], most_entries: int = MAX_ENTRIES) -> Targets:
    """The files to check for `paths`, which are files or folders to search.

    A symbolic link in a folder is followed only where tools would read a config through it, and only within its
    project.

    :param most_entries: the number of directory entries after which a search ends; `skipped` then says where
    """
    targets_by_path: dict[str, None] = {}
    skipped: list[Skipped] = []
    ignored: list[str] = []
    for path in paths:
        absolute = os.path.abspath(path)
        if os.path.isdir(absolute):
            targets = _walk(absolute, most_entries)
            targets_by_path.update(dict.fromkeys(targets.files))
            skipped.extend(targets.skipped)
            ignored.extend(targets.ignored)
        else:
            targets_by_path[absolute] = None
    left_out = tuple(path for path in dict.fromkeys(ignored) if path not in targets_by_path)
    return Targets(tuple(targets_by_path), tuple(skipped), left_out)


def _walk(root: str, most_entries: int) -> Targets:
    # Late: a check of named files has no use for it.
    from sandboxd.lint.gitignore import for_folder

    targets: list[str] = []
    skipped: list[Skipped] = []
    ignored: list[str] = []
    links: list[str] = []
    waiting: list[tuple[str, int, Ignore | None]] = [(root, 0, for_folder(root))]
    remaining = most_entries
    while waiting:
        folder, depth, ignore = waiting.pop()
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            reason = f"cannot be read: {(error.strerror or str(error)).lower()}"
            skipped.append(Skipped(folder, reason, "check its permissions"))
            continue
        remaining -= len(entries)
        if remaining < 0 or depth > MAX_DEPTH:
            reason = "holds too many files" if remaining < 0 else "is nested too deep"
            skipped.append(Skipped(folder, f"{reason} to be searched", "name a folder below it"))
            if remaining < 0:
                break
            continue
        folders = []
        for entry in entries:
            if entry.is_symlink():
                if _is_read_through(entry.path):
                    links.append(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                if entry.name in _NOT_ENTERED:
                    continue
                if ignore is None or not ignore.ignores(entry.path, True):
                    below = ignore.below(entry.path) if ignore is not None else None
                    folders.append((entry.path, depth + 1, below))
                elif ignore.tracks(entry.path, True):
                    folders.append((entry.path, depth + 1, ignore.whole(entry.path)))
            elif formats.find_in_tree(entry.path) or _shows_its_kind(entry.path):
                is_left_out = (
                    ignore is not None
                    and ignore.ignores(entry.path, False)
                    and not ignore.tracks(entry.path, False)
                )
                (ignored if is_left_out else targets).append(entry.path)
        waiting.extend(reversed(folders))
    if links:
        _follow(links, root, targets, skipped)
    return Targets(tuple(targets), tuple(skipped), tuple(ignored))


def _shows_its_kind(path: str) -> bool:
    """Return True for a YAML file whose name says nothing, and whose beginning says what it is.

    Manifests and Compose files have any name; other kinds show themselves by theirs.
    """
    if not path.endswith((".yaml", ".yml")):
        return False
    try:
        start = files.read_start(path, _LOOKED_AT)
    except UnreadableError:
        # Nothing says that it is one of ours.
        return False
    return formats.find(path, start.decode("utf-8", "replace")) is not None


def _is_read_through(path: str) -> bool:
    """Whether a tool reads a config through the link at `path`."""
    return os.path.basename(path) == _FOLDER_OF_CONFIGS or formats.find_in_tree(path) is not None


def _follow(links: list[str], root: str, targets: list[str], skipped: list[Skipped]) -> None:
    """Add to `targets` what `links` lead to, once, and to `skipped` the links that are not followed."""
    import shlex

    real_root = os.path.realpath(root).rstrip("/")
    # No link leads to what a walk found.
    target_by_real_path = {real_root + path[len(root.rstrip("/")) :]: path for path in targets}
    for link in links:
        real = os.path.realpath(link)
        if not real.startswith(f"{real_root}/") and not files.in_same_project(link, link):
            hint = f"`sandboxd check {shlex.quote(link)}` checks what it points to"
            skipped.append(Skipped(link, "is a symbolic link that leads out of the project", hint))
            continue
        is_folder = os.path.basename(link) == _FOLDER_OF_CONFIGS and os.path.isdir(real)
        for path in _configs_below(link) if is_folder else [link]:
            other = target_by_real_path.setdefault(os.path.realpath(path), path)
            # By another name it can be a file of another kind.
            if other == path or formats.find_in_tree(other) is not formats.find_in_tree(path):
                targets.append(path)


def _configs_below(link: str) -> list[str]:
    """The configs in the folder `.devcontainer` behind a link, and one level below, by their names there."""
    configs = []
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(link))[:_MOST_BEHIND_A_LINK]:
            path = os.path.join(link, name)
            deeper = os.path.join(path, "devcontainer.json")
            if os.path.islink(path):
                continue
            if os.path.isdir(path) and os.path.isfile(deeper) and not os.path.islink(deeper):
                configs.append(deeper)
            elif os.path.isfile(path) and formats.find_in_tree(path) is not None:
                configs.append(path)
    return configs
