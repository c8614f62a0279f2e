"""Reads the imports of a module from its source, without running it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from tests.contract.import_table import MAY_IMPORT
from tests.contract.machine_table import MACHINE
from tests.contract.module_kinds import ABOVE_SIBLINGS, GROWTH, LATE_IMPORTS, PURE

_ENVIRONMENT = ("os.environ", "os.environb", "os.getenv")


class Import(NamedTuple):
    """One imported module, absolute, with the line it stands in."""

    module: str
    line: int
    for_types: bool = False
    """Under `if TYPE_CHECKING:`, so no import of the program that runs."""


def room_of(module: str) -> str:
    """The row of the table that a module of sandboxd (`rules.x`, without `sandboxd.`) is in."""
    row = module
    while row not in MAY_IMPORT and "." in row:
        row = row.rpartition(".")[0]
    return row


class _Statement(NamedTuple):
    """`import names` for level 0 without a base, else `from base import names`."""

    names: tuple[str, ...]
    base: str | None
    level: int
    line: int
    for_types: bool


def imports(source: str, package: str = "") -> list[Import]:
    """All imports, also late ones and those for type checkers."""
    modules = []
    for names, base, level, line, for_types in _statements(source):
        if level:
            parts = package.split(".")
            base = ".".join([*parts[: len(parts) - level + 1], *(base or "").split(".")]).strip(".")
        full = names if base is None else [f"{base}.{name}" for name in names]
        modules += [Import(name, line, for_types) for name in full]
    return modules


# Every test of a module asks for the same.
@functools.cache
def _statements(source: str) -> tuple[_Statement, ...]:
    tree = ast.parse(source)
    for_types = set(_for_types(tree))
    statements = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = tuple(alias.name for alias in node.names)
            base, level = None, 0
            if isinstance(node, ast.ImportFrom):
                base, level = node.module or "", node.level
            statements.append(_Statement(names, base, level, node.lineno, node in for_types))
    return tuple(statements)


def _for_types(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
            for statement in node.body if node.test.id == "TYPE_CHECKING" else ():
                yield from ast.walk(statement)


def circle(sources: Mapping[str, str]) -> list[str]:
    """Modules of which each imports the next one and the last the first; empty where there are none.

    An import that a function makes counts: a circle that only starts later is one. So does one for type checkers:
    neither of two modules whose types name each other can be understood without the other. `sources` are the modules
    of sandboxd by name.
    """
    known = frozenset(sources)
    graph = {}
    for module, source in sources.items():
        graph[module] = {
            _ours(imported.module, known)
            for imported in imports(source)
            if imported.module.startswith("sandboxd.")
        }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        modules: list[str] = error.args[1]
        return modules[::-1]
    return []


def violations(module: str, source: str, known: frozenset[str]) -> list[str]:
    """What `module` imports or uses and may not; `known` are all modules of sandboxd."""
    problems = []
    package = "sandboxd." + module.rpartition(".")[0]
    for imported in imports(source, package.rstrip(".")):
        if imported.module.split(".")[0] == "sandboxd":
            target = _ours(imported.module, known)
            name = imported.module.removeprefix("sandboxd.")
            problems += [f"line {imported.line}: {text}" for text in _private(module, name)]
            problems += [f"line {imported.line}: {text}" for text in _forbidden(module, target)]
    problems += [f"line {line}: {name}" for name, line in _machine(module, source)]
    return problems


def _ours(name: str, known: frozenset[str]) -> str:
    """`sandboxd.rules._mounts.x` -> `rules._mounts`: the longest prefix that is a module."""
    parts = name.split(".")[1:]
    while parts and ".".join(parts) not in known:
        parts.pop()
    return ".".join(parts) or "__init__"


def imported_modules(module: str, source: str, known: frozenset[str]) -> Iterator[str]:
    """The modules of sandboxd that `module` imports, late and for type checkers, too; `known` are all of them."""
    package = "sandboxd." + module.rpartition(".")[0]
    for imported in imports(source, package.rstrip(".")):
        if imported.module.split(".")[0] == "sandboxd":
            yield _ours(imported.module, known)


def unused(sources: Mapping[str, str]) -> list[str]:
    """The permissions of the table that no module uses; `sources` are all modules of sandboxd."""
    known = frozenset(sources)
    used = set()
    for module, source in sources.items():
        for target in imported_modules(module, source, known):
            used.add(_permission(module, target))
    rows = [(room, target) for room, targets in MAY_IMPORT.items() for target in targets]
    rows += [(module, target) for module, targets in LATE_IMPORTS.items() for target in targets]
    return [f"`{row}` does not import `{target}`" for row, target in sorted({*rows} - used)]


def _permission(module: str, target: str) -> tuple[str, str]:
    """The row and the entry that let `module` import `target`, the most exact ones that there are."""
    room, wanted, folder = room_of(module), room_of(target), target.split(".")[0]
    for name in (wanted, folder):
        if name in MAY_IMPORT[room]:
            return room, name
    return module, folder


def _forbidden(module: str, target: str) -> list[str]:
    room, wanted = room_of(module), room_of(target)
    allowed = MAY_IMPORT[room] | LATE_IMPORTS.get(module, frozenset())
    if wanted != room and wanted not in allowed and target.split(".")[0] not in allowed:
        return [f"`{room}` may not import `{target}`"]
    for folder in GROWTH:
        prefix = folder + "."
        siblings = module.startswith(prefix) and target.startswith(prefix)
        # A thing that is a folder imports the files in it.
        siblings = siblings and _thing(module, prefix) != _thing(target, prefix)
        shared = any(part.startswith("_") for part in target.removeprefix(prefix).split("."))
        # The index is made from the files of its folder, and shows each to the type checker.
        is_index = module == f"{folder}._index"
        is_above = prefix + _thing(module, prefix) in ABOVE_SIBLINGS
        if siblings and not shared and not is_index and not is_above:
            return [f"`{module}` may not import its sibling `{target}`"]
    return []


def _private(module: str, name: str) -> list[str]:
    """What is private is for the folder that it stands in, with all that is in that folder."""
    folder = ""
    for part in name.split("."):
        is_private = part.startswith("_") and not part.startswith("__")
        if is_private and not f"{module}.".startswith(folder):
            return [f"`{module}` may not import the private `{name}`"]
        folder += f"{part}."
    return []


def _thing(module: str, prefix: str) -> str:
    """The file or folder directly below a growth folder that `module` is, or is in."""
    return module.removeprefix(prefix).partition(".")[0]


def _is_in(module: str, parts: tuple[str, ...]) -> bool:
    """Whether `module` is one of these rooms or modules, or in one."""
    return any(f"{module}.".startswith(f"{part}.") for part in parts)


def _machine(module: str, source: str) -> list[tuple[str, int]]:
    room = module.split(".")[0]
    is_pure = _is_in(module, PURE)
    used: list[tuple[str, int]] = []
    for imported in imports(source):
        top = imported.module.split(".")[0]
        used.append((top, imported.line))
        if imported.module in _ENVIRONMENT:
            used.append(("os.environ", imported.line))
    # Few modules spell one of these: only they are read for it.
    named = any(name.partition(".")[2] in source for name in _ENVIRONMENT)
    for node in ast.walk(ast.parse(source)) if named else ():
        if isinstance(node, ast.Attribute) and ast.unparse(node) in _ENVIRONMENT:
            used.append(("os.environ", node.lineno))
    return [
        (f"`{room}` may not use `{name}`", line)
        for name, line in used
        if name in MACHINE and (is_pure or not _is_in(module, MACHINE[name]))
    ]
