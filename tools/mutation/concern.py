"""Which tests concern a module: those of its room first, then all that import it, the nearest first."""

from __future__ import annotations

import ast
import re
from collections import deque
from pathlib import Path

from tools.mutation.sample import room

FOLDERS = ("tests/unit", "tests/rules", "tests/contract")
"""Tests that need no engine, no editor and no daemon."""

LEFT_OUT = frozenset(
    f"tests/contract/test_{name}.py"
    for name in ("growth", "imports", "oldest_python", "readme", "status_path")
)
"""They take minutes, and look at the form or the time of the code."""

MOST_FILES = 30
"""Of the tests that import a module of the foundation, nearly all, as many run."""

# Their modules are found by looking into the folder; no import names them.
_FOUND_BY_FOLDER = (
    "rules",
    "formats",
    "host/platforms",
    "inside/escapes",
    "render",
    "cli/commands",
    "plan/writers",
)


class Suite:
    """The tests of a checkout, by what they import."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = sorted(
            str(path.relative_to(root))
            for folder in FOLDERS
            for path in (root / folder).rglob("test_*.py")
            if str(path.relative_to(root)) not in LEFT_OUT
        )
        self._imports: dict[str, set[str]] = {}

    def near(self, path: str) -> list[str]:
        """Words for pytest that run the tests of the module's own room; empty if it has none."""
        name = room(path)
        if name == "rules" and not Path(path).stem.startswith("_"):
            return [
                "tests/rules/test_pages.py",
                *self._of("tests/unit/rules"),
                "-k",
                f"{Path(path).stem.replace('_', '-')} or {Path(path).stem} or unit",
            ]
        own = self._of(f"tests/unit/{name}")
        return sorted(own, key=lambda file: (Path(path).stem not in file, file))

    def mentioning(self, path: str, name: str) -> list[str]:
        """Files of the tests that name a value of the module: they may look at it and run nothing."""
        value = re.compile(rf"\b{re.escape(name)}\b")
        module = re.compile(rf"\b{re.escape(Path(path).stem)}\b")
        texts = {file: (self.root / file).read_text(encoding="utf-8") for file in self.files}
        return [file for file, text in texts.items() if value.search(text) and module.search(text)][
            :MOST_FILES
        ]

    def far(self, path: str) -> list[str]:
        """Files of the tests that import the module, however indirectly, the nearest ones first; of these the one that is
        named after it.
        """
        distances: dict[str, int] = {}
        for file in self.files:
            distance = self._distance(file, path)
            if distance is not None:
                distances[file] = distance
        own, name = f"/{room(path)}/", f"/test_{Path(path).stem}.py"

        def rank(file: str) -> tuple[int, bool, bool, str]:
            return distances[file], own not in file, not file.endswith(name), file

        return sorted(distances, key=rank)[:MOST_FILES]

    def _of(self, folder: str) -> list[str]:
        return [file for file in self.files if file.startswith(f"{folder}/")]

    def _distance(self, test: str, path: str) -> int | None:
        """Imports from a test to a module, None when it does not import it."""
        queue, visited = deque([(test, 0)]), {test}
        while queue:
            file, distance = queue.popleft()
            if file == path:
                return distance
            for imported in self._imported(file) - visited:
                visited.add(imported)
                queue.append((imported, distance + 1))
        return None

    def _imported(self, file: str) -> set[str]:
        if file not in self._imports:
            tree = ast.parse((self.root / file).read_bytes())
            names: set[str] = set()
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    names.update(alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    names.add(node.module)
                    names.update(f"{node.module}.{alias.name}" for alias in node.names)
            files = {source for name in names for source in self._files(name)}
            folder = str(Path(file).parent)
            if (
                Path(file).name.startswith("_")
                and folder.removeprefix("sandboxd/") in _FOUND_BY_FOLDER
            ):
                files.update(
                    str(each.relative_to(self.root)) for each in (self.root / folder).glob("*.py")
                )
            self._imports[file] = files
        return self._imports[file]

    def _files(self, module: str) -> list[str]:
        """The files of a module of this checkout, with those of the packages that hold it."""
        parts = module.split(".")
        if parts[0] not in ("sandboxd", "tests", "tools"):
            return []
        files = ["/".join([*parts[:-1], f"{parts[-1]}.py"])]
        files += ["/".join([*parts[: end + 1], "__init__.py"]) for end in range(len(parts))]
        return [file for file in files if (self.root / file).is_file()]
