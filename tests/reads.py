"""Which folders of this repository each file of tests reads, but for Python modules: written beside a record.

A change in such a folder reaches the tests that read it (`tools/suite/reach.py`). What programs read that tests start
is not seen here.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
_EVENTS = frozenset(("open", "os.listdir", "os.scandir"))
_NOT_OF_THE_TREE = (".dev", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".hypothesis")


class Reads:
    """A plugin of pytest that writes one object: file of tests -> folders below the root."""

    def __init__(self, file: Path, root: Path = ROOT) -> None:
        self._file, self._root = file, f"{root}/"
        self._found: dict[str, set[str]] = defaultdict(set)
        self._test = ""
        sys.addaudithook(self._heard)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        """A file of tests may read when it is imported."""
        return (yield from self._during(collector.nodeid))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        return (yield from self._during(item.nodeid))

    def pytest_sessionfinish(self) -> None:
        found = {test: sorted(folders) for test, folders in sorted(self._found.items())}
        self._file.write_text(json.dumps(found), encoding="utf-8")

    def _during(self, test: str) -> Generator[None, Any, Any]:
        file = test.split("::", maxsplit=1)[0]
        self._test = file if file.endswith(".py") else ""
        try:
            return (yield)
        finally:
            self._test = ""

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if (
            not self._test
            or event not in _EVENTS
            or not isinstance(arguments[0], (str, os.PathLike))
        ):
            return
        path = os.fspath(arguments[0])
        if not path.startswith(self._root) or path.endswith((".py", ".pyc")):
            return
        below = path[len(self._root) :]
        if not below.startswith(_NOT_OF_THE_TREE) and "__pycache__" not in below:
            self._found[self._test].add(below if event != "open" else os.path.dirname(below))


def pytest_configure(config: pytest.Config) -> None:
    folder = config.getoption("--record", "")
    if folder:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        Path(folder).mkdir(parents=True, exist_ok=True)
        config.pluginmanager.register(Reads(Path(folder, f"{worker}-reads.json")), "reads")
