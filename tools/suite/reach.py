"""The tests that a change can reach, the nearest first: by imports, read from the source, and by what was recorded.

A test reaches what it imports, what that imports, and the `conftest.py` of its folders. What nothing imports by
name (a rule, an operation: found by their folder) is reached by whoever imports anything of that folder. A file
of tests that starts programs reaches all that is shipped, unless it is one of unit tests, and each one the folders
that it was recorded to read. A file that is no module, and of which nobody knows who reads it, is reached by all.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

UNIT = "tests/unit"
CODE = ("sandboxd", "tools", "tests")
"""Folders whose modules are looked at."""

_OF_THE_SUITE = (
    *("tests/tiers.toml", "tests/quarantine.toml", "tests/passed.toml"),
    "tests/data/recorded-run.json",
)
"""What the suite reads to run: of the tests only those that are about it reach it."""

_NOT_SHIPPED = ("tests/", "docs/", ".ci/", "README.md", "CONTRIBUTING.md", "CHANGELOG.md")
"""Beginnings of paths of which no program reads anything."""

_DATA = ("sandboxd/", "profiles/", "devcontainer-templates/", "requirements/", "pyproject.toml")
"""Beginnings of paths of data that the product keeps once read, so that a record does not say who needs it."""

_FARTHEST = 1 << 20
"""How far what a test starts is from the test: any import is nearer."""


class Choice(NamedTuple):
    """Files of unit tests, and why these."""

    files: tuple[str, ...]
    left: tuple[str, ...]
    """Those that the change reaches from farther away than there is time for."""
    why: str


def choose(root: Path, files: Mapping[str, Any], limit: float) -> Choice:
    """The unit tests to run after the changes since the last commit that the upstream branch has.

    :param files: what was recorded of each file of tests
    :param limit: processor time in all, in seconds
    """
    tests = tuple(path for path in all_tests(root) if path.startswith(f"{UNIT}/"))
    paths = changed(root)
    if not paths:
        return Choice(tests, (), "nothing has changed")
    taken: list[str] = []
    left: list[str] = []
    total = 0.0
    for file in reached(root, paths, files):
        if file not in tests:
            continue
        total += files[file]["processor"] if file in files else 1.0
        (taken if total <= limit or not taken else left).append(file)
    return Choice(tuple(taken), tuple(left), f"{len(paths)} files have changed")


def all_tests(root: Path) -> list[str]:
    """All files of tests."""
    return sorted(path.relative_to(root).as_posix() for path in (root / "tests").rglob("test_*.py"))


def changed(root: Path) -> tuple[str, ...]:
    """Paths that differ from the newest commit that upstream has, too, with those that git does not know.

    Empty where nothing differs, or git cannot say.
    """
    base = git(root, "merge-base", "HEAD", "@{upstream}") or ["HEAD"]
    paths = git(root, "diff", "--name-only", "--no-renames", base[0])
    return tuple(sorted({*paths, *git(root, "ls-files", "--others", "--exclude-standard")}))


def reached(root: Path, paths: Sequence[str], files: Mapping[str, Any]) -> list[str]:
    """Files of tests that the changed files reach, the nearest first.

    :param files: what was recorded of each file of tests
    """
    tests = all_tests(root)
    graph = _Graph(root)
    distance: dict[str, int] = {}
    if any(not path.startswith(_NOT_SHIPPED) for path in paths):
        distance.update((test, _FARTHEST) for test in tests if _starts_programs(test, files))
    near: set[str] = set()
    for path in paths:
        readers = set() if path.startswith(_DATA) else _readers(path, files)
        if path in _OF_THE_SUITE:
            near |= readers
        else:
            near |= readers.union(graph.seen_as(path)) or set(tests)
    distance.update(dict.fromkeys(sorted(near), 0))
    begin = sorted(near)
    waiting = deque(begin)
    while waiting:
        path = waiting.popleft()
        for user in graph.users.get(path, ()):
            if distance.get(user, _FARTHEST) == _FARTHEST:
                distance[user] = distance[path] + 1
                waiting.append(user)
    return sorted(distance.keys() & set(tests), key=lambda path: (distance[path], path))


def _starts_programs(test: str, files: Mapping[str, Any]) -> bool:
    """Whether a file of tests was recorded to start any program; one without a record counts as if."""
    rows = [row for name, row in files.items() if name.split("::", maxsplit=1)[0] == test]
    return not test.startswith(f"{UNIT}/") and (not rows or any(row["processes"] for row in rows))


def _readers(path: str, files: Mapping[str, Any]) -> set[str]:
    """Files of tests that were recorded to read anything in the folder of a path."""
    folder = os.path.dirname(path)
    return {
        name.split("::", maxsplit=1)[0]
        for name, row in files.items()
        if folder in row.get("reads", ())
    }


class _Graph:
    """Who imports whom, by paths below the root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._modules = {_module(path): path for path in _sources(root)}
        used = {path: self._used(names, path) for path, names in _imports(root).items()}
        self.users: dict[str, set[str]] = {}
        for path, others in used.items():
            for other in others - {path}:
                self.users.setdefault(other, set()).add(path)

    def seen_as(self, path: str) -> list[str]:
        """The modules whose users see a change of this file; none if it is no module, and read by whom is not known."""
        folder = os.path.dirname(path)
        if path.endswith(".py") and path.startswith(tuple(f"{name}/" for name in CODE)):
            name = os.path.basename(path)
            if self.users.get(path) or name.startswith("test_"):
                return [path]
            return [path, *(p for p in self._modules.values() if os.path.dirname(p) == folder)]
        if path.startswith("tests/"):
            return [p for p in self._modules.values() if p.startswith(f"{folder}/")]
        return []

    def _used(self, names: Iterable[str], path: str) -> set[str]:
        used = {self._modules[name] for name in map(self._known, names) if name}
        if path.startswith("tests/"):
            folders = path.split("/")[:-1]
            for count in range(1, len(folders) + 1):
                conftest = "/".join([*folders[:count], "conftest.py"])
                if conftest in self._modules.values():
                    used.add(conftest)
        return used

    def _known(self, name: str) -> str:
        """The longest beginning of a dotted name that is a module, '' if none is."""
        while name and name not in self._modules:
            name = name.rpartition(".")[0]
        return name


def _sources(root: Path) -> Iterator[str]:
    for folder in CODE:
        for path in (root / folder).rglob("*.py"):
            yield path.relative_to(root).as_posix()


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imports(root: Path) -> dict[str, list[str]]:
    """The absolute names that each source imports; what is known of an unchanged one is taken from .dev."""
    store = root / ".dev" / "imports.json"
    known: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(store.read_bytes())
    now = {}
    for path in _sources(root):
        status = (root / path).stat()
        stamp = [status.st_mtime_ns, status.st_size]
        old = known.get(path)
        if old and old["stamp"] == stamp:
            now[path] = old
        else:
            names = sorted(_names((root / path).read_text("utf-8"), path))
            now[path] = {"stamp": stamp, "names": names}
    if now != known:
        store.parent.mkdir(exist_ok=True)
        fresh = store.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(now))
        fresh.rename(store)
    return {path: row["names"] for path, row in now.items()}


def _names(source: str, path: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    package = os.path.dirname(path).split("/")
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            head = ".".join([*base, *filter(None, [node.module])])
            names.update(f"{head}.{alias.name}" for alias in node.names)
    return {name for name in names if name.split(".")[0] in CODE}


def git(root: Path, *words: str) -> list[str]:
    """The lines that git prints; none where it fails, or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
