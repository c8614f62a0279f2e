"""Programs of ours inside a sandbox: started with their text, or their archive, as input."""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import os
import socket
import threading
from typing import TYPE_CHECKING

from sandboxd import inside
from sandboxd.engine import execute, frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType

    from sandboxd.engine.client import Engine, Exec

_BEGINNING_BYTES = 500

_PARSING = threading.Lock()


def run(
    engine: Engine,
    container: str,
    request: Exec,
    data: bytes,
    seconds: float,
    write: Callable[[int, bytes], None],
) -> int:
    """Run `request` with `data` as all of its input, pass its output to `write`; returns its exit code.

    :param write: called with each piece of output (1 stdout, 2 stderr)
    :raises TimeoutError: it did not end within `seconds`; it may still run
    :raises ContainerGone: the container ended with or before it
    :raises CannotLaunch: the runtime fails before it starts
    """
    if not engine.is_local:
        # Over TLS the input cannot end before the output does: it is counted instead.
        words = ("sh", "-c", 'size=$1; shift; head -c "$size" | "$@"', "sh", str(len(data)))
        request = request._replace(command=[*words, *request.command])
    exec_id = engine.exec_create(container, request._replace(stdin=True, working_dir="/"))
    connection, first = engine.exec_start(exec_id, tty=False)
    limited = execute.Limited(connection, seconds)
    beginning = b""

    def hear(stream: int, piece: bytes) -> None:
        nonlocal beginning
        beginning = beginning or piece[:_BEGINNING_BYTES]
        write(stream, piece)

    with connection:
        if engine.is_local:
            threading.Thread(target=_feed, args=(connection, data), daemon=True).start()
        else:
            _send(connection, data, seconds)
        frames.pump(limited, first, False, hear)
    code = execute.wait_for_code(engine, container, exec_id)
    execute.require_started(code, beginning)
    return code


def output_of(
    engine: Engine, container: str, request: Exec, data: bytes, seconds: float, who: str
) -> tuple[int, bytes]:
    """`run` for a program with little output: its exit code, and all that it wrote.

    :param who: what runs, in words for a person
    :raises TooMuch: it writes without end
    """
    output = bytearray()

    def keep(_: int, piece: bytes) -> None:
        output.extend(piece)
        if len(output) > execute.MOST_BYTES:
            raise execute.TooMuch(f"{who} wrote without end")

    return run(engine, container, request, data, seconds, keep), bytes(output)


def source_of(name: str) -> str:
    """The text of the program `sandboxd.inside.NAME`."""
    return source_beside(inside.__file__, f"{name}.py")


@functools.cache
def source_beside(module: str, name: str) -> str:
    """The text of a program that runs inside: the file `name` in the folder of the file `module`."""
    with open(os.path.join(os.path.dirname(module), name), encoding="utf-8") as file:
        return file.read()


def parsed(source: str | bytes) -> ast.Module:
    """`ast.parse`, in one thread at a time.

    CPython counts the depth of the tree that it makes for all threads together. Where another one gets its turn while a
    tree is made, as in the finalizer of an object that goes, it ends with `SystemError: AST constructor recursion depth
    mismatch` (seen with 3.11.7; github.com/python/cpython/issues/106905 is a relative).
    """
    with _PARSING:
        return ast.parse(source)


def joined(sources: Iterable[str]) -> str:
    """One program of modules of ours that import each other, those that are imported first."""
    lines = ["from __future__ import annotations\n"]
    for source in sources:
        own = source.splitlines(keepends=True)
        for node in parsed(source).body:
            module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            if module == "__future__" or module.partition(".")[0] == "sandboxd":
                own[node.lineno - 1 : node.end_lineno] = [""] * (
                    (node.end_lineno or node.lineno) - node.lineno + 1
                )
        lines += [*own, "\n"]
    return "".join(lines)


def of_modules(modules: Iterable[ModuleType]) -> str:
    """One program of the sources of `modules`, as `joined` makes it, without docstrings and comments."""
    files = [str(module.__file__) for module in modules]
    tree = parsed(joined(source_beside(file, os.path.basename(file)) for file in files))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and len(body) > 1:
            node.body = [line for line in body if not _is_text(line)]  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _is_text(line: ast.AST) -> bool:
    """Whether a statement is a docstring, or what stands for one below a name."""
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def with_task(source: str, task: Mapping[str, object]) -> bytes:
    """The program `source`, whose `main` is called with `task`."""
    return f"{source}\n\nmain(json.loads({json.dumps(json.dumps(task))}))\n".encode()


def imported_by(sources: Iterable[str]) -> tuple[str, ...]:
    """The modules that programs import, without our own: those that `interpreter.archive` has to bring."""
    modules: set[str] = set()
    for source in sources:
        for node in ast.walk(parsed(source)):
            if isinstance(node, ast.Import):
                modules |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module)
    return tuple(sorted(name for name in modules if name.partition(".")[0] != "sandboxd"))


def _feed(connection: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)


def _send(connection: socket.socket, data: bytes, seconds: float) -> None:
    """Send everything before anything is read: over TLS one thread cannot write while another waits.

    Our programs write next to nothing before they have read all.
    """
    connection.settimeout(seconds)
    try:
        connection.sendall(data)
    except TimeoutError:
        raise
    except OSError:
        # It ended early: its output says why.
        return
