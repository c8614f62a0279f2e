"""Reads the imports of a module from its source, without running it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import NamedTuple

from tests.contract.import_table import GROWTH, LATE_IMPORTS, MACHINE, MAY_IMPORT, PURE

_ENVIRONMENT = ("os.environ", "os.environb", "os.getenv")


class Import(NamedTuple):
    """One imported module, absolute, with the line it stands in."""

    module: str
    line: int


def room_of(module: str) -> str:
    """The row of the table that a module of sandboxd (`rules.x`, without `sandboxd.`) is in."""
    if module in MAY_IMPORT:
        return module
    return module.split(".", maxsplit=1)[0]


def imports(source: str, package: str = "") -> list[Import]:
    """All imports, also late ones and those for type checkers."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], *base.split(".")]).strip(
                    "."
                )
            found += [Import(f"{base}.{alias.name}", node.lineno) for alias in node.names]
    return found


def violations(module: str, source: str, known: frozenset[str]) -> list[str]:
    """What `module` imports or uses and may not; `known` are all modules of sandboxd."""
    problems = []
    package = "sandboxd." + module.rpartition(".")[0]
    for found in imports(source, package.rstrip(".")):
        if found.module.split(".")[0] == "sandboxd":
            target = _ours(found.module, known)
            problems += [f"line {found.line}: {text}" for text in _forbidden(module, target)]
    problems += [f"line {line}: {name}" for name, line in _machine(module, source)]
    return problems


def _ours(name: str, known: frozenset[str]) -> str:
    """`sandboxd.rules._mounts.x` -> `rules._mounts`: the longest prefix that is a module."""
    parts = name.split(".")[1:]
    while parts and ".".join(parts) not in known:
        parts.pop()
    return ".".join(parts) or "__init__"


def unused(sources: Mapping[str, str]) -> list[str]:
    """The permissions of the table that no module uses; `sources` are all modules of sandboxd."""
    known = frozenset(sources)
    used = set()
    for module, source in sources.items():
        package = "sandboxd." + module.rpartition(".")[0]
        for imported in imports(source, package.rstrip(".")):
            if imported.module.split(".")[0] == "sandboxd":
                used.add(_permission(module, _ours(imported.module, known)))
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
        if siblings and not shared and not is_index:
            return [f"`{module}` may not import its sibling `{target}`"]
    return []


def _thing(module: str, prefix: str) -> str:
    """The file or folder directly below a growth folder that `module` is, or is in."""
    return module.removeprefix(prefix).partition(".")[0]


def _machine(module: str, source: str) -> list[tuple[str, int]]:
    room = module.split(".")[0]
    used: list[tuple[str, int]] = []
    for found in imports(source):
        top = found.module.split(".")[0]
        used.append((top, found.line))
        if found.module in _ENVIRONMENT:
            used.append(("os.environ", found.line))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in _ENVIRONMENT:
            used.append(("os.environ", node.lineno))
    return [
        (f"`{room}` may not use `{name}`", line)
        for name, line in used
        if name in MACHINE and (room not in MACHINE[name] or module in PURE)
    ]
