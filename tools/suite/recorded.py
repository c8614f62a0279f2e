"""What recorded runs say of each file of tests: `python -m tools.suite.recorded FOLDER ...`.

Reads what `--record FOLDER` left and brings `tests/data/recorded-run.json` up to date, of which `./dev docs` makes
docs/testing.md. Files of tests that are in none of the folders keep what an older run said of them.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests import tiers

ROOT = Path(__file__).resolve().parents[2]
STORE = ROOT / "tests" / "data" / "recorded-run.json"


def summary(
    rows: Iterable[dict[str, Any]], reads: Mapping[str, list[str]] = MappingProxyType({})
) -> dict[str, Any]:
    """By file: tests, seconds of wall and processors, what of those fixtures and programs took, and folders read.

    A test that `tests/tiers.toml` names by itself has figures of its own.

    :param reads: folders that each file of tests read
    """
    alone = [name for part in tiers.parts() for name in part.tests if "::" in name]
    files: dict[str, Any] = {}
    for row in rows:
        test = row["test"]
        name = next((name for name in alone if tiers.names(name, test)), tiers.file_of(test))
        new = {"tests": 0, "wall": 0.0, "processor": 0.0, "fixtures": {}, "processes": {}}
        file = files.setdefault(name, {**new, "reads": reads.get(tiers.file_of(name), [])})
        file["tests"] += 1
        for wall, processor in row["phases"].values():
            file["wall"] += wall
            file["processor"] += processor
        for fixture, scope, wall, processor in row["fixtures"]:
            _add(file["fixtures"], f"{fixture} ({scope})", wall, processor)
        for program, wall, processor in row["processes"]:
            _add(file["processes"], program, wall or 0, processor or 0)
    return {name: _rounded(file) for name, file in sorted(files.items()) if _exists(name)}


def read(folder: Path) -> Iterator[dict[str, Any]]:
    """The rows of tests that a recorded run left."""
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if "test" in row:
                yield row


def reads(folder: Path) -> dict[str, list[str]]:
    """The folders that each file of tests read in a recorded run, as `tests/reads.py` wrote them."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in sorted(folder.glob("*-reads.json")):
        for test, folders in json.loads(file.read_text(encoding="utf-8")).items():
            found[test].update(folders)
    return {test: sorted(folders) for test, folders in found.items()}


def load() -> dict[str, Any]:
    """What is recorded: file of tests -> its figures."""
    files: dict[str, Any] = json.loads(STORE.read_text(encoding="utf-8"))["files"]
    return files


def merged(files: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of `files`, and those of `new` instead where it has a file.

    What `tests/tiers.toml` names by itself keeps its own where the new run left it out.
    """
    alone = {name for part in tiers.parts() for name in part.tests if "::" in name}
    known = {tiers.file_of(name) for name in new}
    left = {
        name: f for name, f in files.items() if name in alone or tiers.file_of(name) not in known
    }
    return {**left, **new}


def by_key(files: Iterable[dict[str, Any]], key: str) -> dict[str, list[float]]:
    """`fixtures` or `processes` of several files together: name -> times, seconds of wall, of processors."""
    total: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for file in files:
        for name, figures in file[key].items():
            total[name] = [a + b for a, b in zip(total[name], figures, strict=True)]
    return dict(total)


def _add(table: dict[str, list[float]], name: str, wall: float, processor: float) -> None:
    row = table.setdefault(name, [0, 0.0, 0.0])
    table[name] = [row[0] + 1, row[1] + wall, row[2] + processor]


def _rounded(file: dict[str, Any]) -> dict[str, Any]:
    """Without what took less than a tenth of a second: the list is read, and kept in the tree."""

    def table(rows: dict[str, list[float]]) -> dict[str, list[float]]:
        return {
            name: [count, round(wall, 1), round(processor, 1)]
            for name, (count, wall, processor) in sorted(rows.items())
            if max(wall, processor) >= 0.1 or name == "sandboxd (forked)"
        }

    return {
        "tests": file["tests"],
        "wall": round(file["wall"], 1),
        "processor": round(file["processor"], 1),
        "fixtures": table(file["fixtures"]),
        "processes": table(file["processes"]),
        "reads": file["reads"],
    }


def _exists(name: str) -> bool:
    return (ROOT / tiers.file_of(name)).is_file()


def main(folders: list[str]) -> int:
    """Write; 2 without a folder."""
    if not folders:
        print(__doc__, file=sys.stderr)
        return 2
    files = {name: file for name, file in load().items() if _exists(name)}
    for folder in folders:
        new = summary(read(Path(folder)), reads(Path(folder)))
        files = merged(files, new)
    rows = [f"{json.dumps(name)}: {json.dumps(files[name])}" for name in sorted(files)]
    STORE.write_text('{"files": {\n' + ",\n".join(rows) + "\n}}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
