"""The unit tests that a change can reach, the nearest first: by imports, read from the source.

A test reaches what it imports, what that imports, and the `conftest.py` of its folders. What nothing imports by
name (a rule, an operation: found by their folder) is reached by whoever imports anything of that folder. A file
that is no module, and of which nobody knows who reads it, is reached by all.
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

NOT_OF_UNITS = (
    *("docs/", ".ci/", "benchmarks/", "editor-extension/", "CHANGELOG.md", "README.md"),
    *("CONTRIBUTING.md", "tests/cluster/", "tests/contract/", "tests/e2e/", "tests/integration/"),
    *("tests/rules/", "tests/tiers.toml", "tests/quarantine.toml", "tests/data/recorded-run.json"),
)
"""Beginnings of paths, of what is no module, that other tests are about."""


class Choice(NamedTuple):
    """Files of unit tests, and why these."""

    files: tuple[str, ...]
    left: tuple[str, ...]
    """Those that the change reaches from farther away than there is time for."""
    why: str


def choose(root: Path, seconds: Mapping[str, float], limit: float) -> Choice:
    """What to run after the changes since the last commit that the upstream branch has.

    :param seconds: processor time of each file of tests, as far as it is known
    :param limit: processor time in all
    """
    tests = tuple(sorted(unit_tests(root)))
    paths = changed(root)
    if not paths:
        return Choice(tests, (), "nothing has changed")
    taken: list[str] = []
    left: list[str] = []
    total = 0.0
    for file in reached(root, paths):
        total += seconds.get(file, 1.0)
        (taken if total <= limit or not taken else left).append(file)
    return Choice(tuple(taken), tuple(left), f"{len(paths)} files have changed")


def unit_tests(root: Path) -> Iterator[str]:
    """All files of unit tests."""
    for path in (root / UNIT).rglob("test_*.py"):
        yield path.relative_to(root).as_posix()


def changed(root: Path) -> tuple[str, ...]:
    """Paths that differ from the newest commit that upstream has, too, with those that git does not know.

    Empty where nothing differs, or git cannot say.
    """
    base = _git(root, "merge-base", "HEAD", "@{upstream}") or ["HEAD"]
    paths = _git(root, "diff", "--name-only", "--no-renames", base[0])
    return tuple(sorted({*paths, *_git(root, "ls-files", "--others", "--exclude-standard")}))


def reached(root: Path, paths: Sequence[str]) -> list[str]:
    """Files of tests that the changed files reach, the nearest first."""
    graph = _Graph(root)
    begin: list[str] = []
    for path in paths:
        begin += graph.seen_as(path)
    distance = dict.fromkeys(begin, 0)
    waiting = deque(begin)
    while waiting:
        path = waiting.popleft()
        for user in graph.users.get(path, ()):
            if user not in distance:
                distance[user] = distance[path] + 1
                waiting.append(user)
    return sorted(distance.keys() & set(unit_tests(root)), key=lambda path: (distance[path], path))


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
        """The modules whose users see a change of this file."""
        folder = os.path.dirname(path)
        if path.endswith(".py") and path.startswith(tuple(f"{name}/" for name in CODE)):
            name = os.path.basename(path)
            if self.users.get(path) or name.startswith("test_"):
                return [path]
            return [path, *(p for p in self._modules.values() if os.path.dirname(p) == folder)]
        if path.startswith(f"{UNIT}/"):
            return [p for p in self._modules.values() if p.startswith(f"{folder}/")]
        if path.startswith(NOT_OF_UNITS):
            return []
        return [p for p in self._modules.values() if p.startswith(f"{UNIT}/")]

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


def _git(root: Path, *words: str) -> list[str]:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *words], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
