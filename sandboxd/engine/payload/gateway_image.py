"""The root file system of a gateway: this machine's Python, h11 and the gateway's program, in one tar.

Nothing else is in it: no shell, no package manager, no other program. It is made from what is installed
here, so what the gateway decides by is what this sandboxd decides by.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import io
import os
import sys
import tarfile
from collections.abc import Iterator
from typing import NamedTuple

from sandboxd.engine.payload import interpreter
from sandboxd.engine.payload.programs import parsed
from sandboxd.errors import EnvironmentFailure

PROGRAM = "sandboxd.egress.gateway.main"
HOME = "/gateway"

_OURS = ("sandboxd", "h11")
# Started by its name, and able to say why it failed.
_ALWAYS = ("runpy", "traceback")
_FOLDERS = ("proc", "sys", "dev", "etc", "tmp")
_LAYOUT = 1


class Module(NamedTuple):
    """One of our modules: its file in the archive below `modules`, and its source."""

    path: str
    source: bytes


def command(*arguments: str) -> list[str]:
    """The arguments that start the gateway in a container of the image."""
    return interpreter.command(HOME, "-m", PROGRAM, *arguments)


def environment() -> list[str]:
    """The variables for `command`."""
    return interpreter.environment(HOME)


def digest() -> str:
    """A digest of the image that `archive` makes now; equal for equal interpreters and programs.

    :raises EnvironmentFailure: a part of the program is not installed
    """
    identity = hashlib.sha256(f"{_LAYOUT} {interpreter.identity()}".encode())
    for path in sorted(_all_files()):
        with open(path, "rb") as file:
            data = file.read()
        identity.update(f"{path}\0{len(data)}\0".encode("utf-8", "surrogateescape") + data)
    return identity.hexdigest()[:16]


def archive(cache_folder: str | None) -> bytes:
    """The image's root file system, as a tar.

    :param cache_folder: where the interpreter is cached, None for nowhere
    :raises EnvironmentFailure: this machine's Python cannot be copied
    """
    modules, library = program_modules(PROGRAM)
    packed = interpreter.archive(b"", library, cache_folder)
    result = io.BytesIO()
    with tarfile.open(fileobj=result, mode="w") as tar:
        for folder in (*_FOLDERS, HOME.lstrip("/")):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        with tarfile.open(fileobj=io.BytesIO(packed)) as parts:
            for entry in parts:
                content = parts.extractfile(entry)
                if content is not None:
                    _add(tar, entry.name, content.read())
        for module in modules.values():
            name = module.path.removesuffix(".py")
            _add(tar, f"modules/{name}.pyc", interpreter.compile_module(f"<{name}>", module.source))
    return result.getvalue()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a file, readable for the unprivileged user that the program becomes."""
    entry = tarfile.TarInfo(f"{HOME.lstrip('/')}/{name}")
    is_program = name in ("python", "loader") or name.endswith(".so") or ".so." in name
    entry.size, entry.mode = len(data), 0o755 if is_program else 0o644
    tar.addfile(entry, io.BytesIO(data))


def program_modules(program: str) -> tuple[dict[str, Module], tuple[str, ...]]:
    """`program` and all of our modules that it needs, by name, and those of the standard library.

    :raises EnvironmentFailure: a part of it is not installed
    """
    modules: dict[str, Module] = {}
    library = {*_ALWAYS}
    waiting = [program]
    while waiting:
        name = waiting.pop()
        if name.partition(".")[0] in sys.stdlib_module_names:
            library.add(name)
        path = _file(name) if name not in modules and _is_ours(name) else None
        if path is None:
            continue  # known, or no module but a name within one
        with open(path, "rb") as file:
            modules[name] = Module(_place(name, path), file.read())
        package = name if _is_package(path) else _parent(name)
        waiting += [*_imports(modules[name].source, package), *filter(None, [_parent(name)])]
    if program not in modules:
        raise EnvironmentFailure(
            f"this installation lacks `{program}`, the program of the gateway",
            "install sandboxd again",
        )
    return modules, tuple(sorted(library))


def _imports(source: bytes, package: str) -> Iterator[str]:
    """Names that may be modules and that `source` imports when it runs, relative to `package`."""
    for node in _running(parsed(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
            yield base
            if _is_ours(base):
                yield from (f"{base}.{name.name}" for name in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """`node` and what is below it, without what only a type checker reads."""
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        for statement in node.orelse:
            yield from _running(statement)
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _running(child)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in _OURS


def _parent(name: str) -> str:
    return name.rpartition(".")[0]


def _is_package(path: str) -> bool:
    return os.path.basename(path) == "__init__.py"


def _place(name: str, path: str) -> str:
    base = name.replace(".", "/")
    return f"{base}/__init__.py" if _is_package(path) else f"{base}.py"


def _file(name: str) -> str | None:
    """The source of one of our modules, None where there is no such module."""
    top, _, rest = name.partition(".")
    base = os.path.join(_folder(top), *rest.split(".")) if rest else _folder(top)
    for path in (f"{base}.py", os.path.join(base, "__init__.py")):
        if os.path.isfile(path):
            return path
    return None


def _folder(package: str) -> str:
    """:raises EnvironmentFailure: the package is not installed as files"""
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not folders:
        raise EnvironmentFailure(
            f"the Python package `{package}` is not there, which the gateway needs",
            "install sandboxd again",
        )
    return folders[0]


def _all_files() -> Iterator[str]:
    """Every source that may be part of the program."""
    for top in (os.path.join(_folder("sandboxd"), "egress"), _folder("h11")):
        for folder, _, files in os.walk(top):
            yield from (os.path.join(folder, name) for name in files if name.endswith(".py"))
