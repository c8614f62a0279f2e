"""Settings and tasks of VS Code as `model.editor` describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.model.editor import EditorSettings, EditorTask
from sandboxd.model.values import Origin, Value
from sandboxd.text import Span

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.syntax.node import Node

_DEEPEST = 8
_SYSTEMS = ("linux", "osx", "windows")


def settings(node: Node | None, path: str) -> EditorSettings | None:
    """The settings in an object; None where it holds none."""
    if node is None or node.kind != "object":
        return None
    scalars: list[Value[object]] = []
    waiting = [(str(key.value), value, 1) for key, value in reversed(node.members)]
    while waiting:
        key, value, depth = waiting.pop()
        inner = [(f"{key}/{name.value}", below) for name, below in value.members]
        inner += [_entry(key, below) for below in value.items]
        if value.kind in ("object", "array"):
            if depth < _DEEPEST:
                waiting.extend((name, below, depth + 1) for name, below in reversed(inner))
        elif value.kind != "missing":
            scalars.append(_value(value, path, key))
    return EditorSettings(path, tuple(scalars)) if scalars else None


def _entry(key: str, item: Node) -> tuple[str, Node]:
    """An item of a list as (name, value) with `{"name": ..., "value": ...}` treated like a member of an object."""
    name, value = _text(item.get("name")), item.get("value")
    if name and value is not None and len(item.members) == 2:
        return f"{key}/{name}", value
    return key, item


def tasks(root: Node | None, path: str) -> list[EditorTask]:
    """The tasks of a `tasks.json`, those that it has for one operating system only among them."""
    holders = [root, *(root.get(name) for name in _SYSTEMS)] if root is not None else []
    lists = [holder.get("tasks") for holder in holders if holder is not None]
    entries: list[EditorTask] = []
    for task in [task for listed in lists if listed is not None for task in listed.items]:
        options, presentation = task.get("runOptions"), task.get("presentation")
        run_on = options.get("runOn") if options is not None else None
        reveal = _text(presentation.get("reveal")) if presentation is not None else None
        echo = presentation.get("echo") if presentation is not None else None
        entries.append(
            EditorTask(
                _text(task.get("label")) or _text(task.get("taskName")) or "",
                _command(task),
                _value(run_on, path, "runOn") if run_on is not None and run_on.text() else None,
                reveal in ("never", "silent") or (echo is not None and echo.value is False),
            )
        )
    return entries


def _command(task: Node) -> str:
    """The command of a task as text; those of single operating systems behind it, where they differ."""
    common = _written(task)
    others = [
        (name, text)
        for name in _SYSTEMS
        if (text := _written(task.get(name), common)) and text != common
    ]
    if not common and others:
        _, common = others.pop(0)
    shown = [common, *(f"({name}: {text})" for name, text in others if text != common)]
    script = _text(task.get("script"))
    return (
        " ".join(filter(None, shown))
        or (f"npm run {script}" if script else _text(task.get("type")))
        or ""
    )


def _written(holder: Node | None, command: str = "") -> str:
    """The words of a task, or of its part for one system, which may replace the arguments of `command` alone."""
    if holder is None:
        return ""
    own, arguments = holder.get("command"), holder.get("args")
    if own is None and arguments is None:
        return ""
    words = [_word(own) if own is not None else command.partition(" ")[0]]
    words += [_word(item) for item in (arguments.items if arguments is not None else ())]
    return " ".join(word for word in words if word)


def _word(node: Node) -> str:
    return _text(node) or _text(node.get("value")) or ""


def _value(node: Node, path: str, key: str) -> Value[Any]:
    text = node.text()
    span = node.span
    if text is not None and span.end - span.start == len(text) + 2:
        span = Span(span.start + 1, span.end - 1)
    written = text if text is not None else str(node.value).lower()
    return Value(node.value, Origin("file", path, key), Place(path, span), written, (node,))


def _text(node: Node | None) -> str | None:
    return None if node is None else node.text()
