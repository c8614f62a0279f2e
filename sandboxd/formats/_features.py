"""Readers of a Feature's own file, and of the lock file of those that a project names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.formats import _docker_flags as flags
from sandboxd.formats import _mounts
from sandboxd.formats._javascript import is_truthy
from sandboxd.model.container import Container, Pair
from sandboxd.model.feature import FeatureLock, LockedFeature
from sandboxd.model.values import Origin, Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sandboxd.formats import Resolver
    from sandboxd.syntax.node import Node

    # A node of a Feature's file and the property that it is of -> the located value.
    Locate = Callable[[Any, Node, str, str], Value[Any]]

_HOOKS = ("onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand")


def describe(root: Node, base: Container, locate: Locate, variables: Resolver) -> Container:
    """`base` with the settings of a Feature's file; a later value wins."""
    mounts: list[Value[Any]] = []
    for item in _items(root.get("mounts")):
        text = item.text()
        if text is not None:
            spelling = _mounts.from_csv(text, variables)
            mounts.append(
                locate(spelling.mount, item, "mounts", text[spelling.start : spelling.end])
            )
        elif item.kind == "object":
            fields = [_text(item.get(key)) or "" for key in ("type", "source", "target")]
            mount = _mounts.from_fields(fields[0] or "volume", fields[1], fields[2], variables)
            mounts.append(locate(mount, item.get("source") or item, "mounts", fields[1]))
    return base._replace(
        privileged=_switch(root, "privileged", locate) or base.privileged,
        init=_switch(root, "init", locate) or base.init,
        cap_add=(*base.cap_add, *_strings(root, "capAdd", flags.capability, locate)),
        security_opt=(
            *base.security_opt,
            *_strings(root, "securityOpt", flags.security_option, locate),
        ),
        mounts=(*base.mounts, *mounts),
        env=(*base.env, *_environment(root, locate)),
        lifecycle=(*base.lifecycle, *_commands(root, locate)),
        entrypoints=(*base.entrypoints, *entrypoint(root, locate)),
    )


def entrypoint(root: Node, locate: Locate) -> list[Value[str]]:
    """The entry points that a Feature, or an image's label, starts with the container."""
    node = root.get("entrypoint")
    text = _text(node)
    return [] if node is None or not text else [locate(text, node, "entrypoint", text)]


def read_lock(root: Node, path: str) -> FeatureLock | None:
    """The content of a `devcontainer-lock.json`; None when it holds no Features."""
    features = root.get("features")
    if features is None or features.kind != "object":
        return None

    def value(node: Node | None, key: str) -> Value[str] | None:
        text = _text(node)
        if node is None or text is None:
            return None
        return Value(text, Origin("file", path, key), Place(path, node.inside()), text, (node,))

    entries: list[LockedFeature] = []
    for key, entry in features.members:
        name = value(key, "features")
        if name is not None:
            fields = [value(entry.get(field), field) for field in LockedFeature._fields[1:]]
            entries.append(LockedFeature(name, *fields))
    return FeatureLock(path, tuple(entries))


def _switch(root: Node, key: str, locate: Locate) -> Value[bool] | None:
    node = root.get(key)
    if node is None or not is_truthy(node):
        return None
    return locate(True, node, key, node.text() or "true")


def _strings(
    root: Node, key: str, normal: Callable[[str], Any], locate: Locate
) -> list[Value[Any]]:
    texts = [(item, item.text()) for item in _items(root.get(key))]
    return [locate(normal(text), item, key, text) for item, text in texts if text is not None]


def _environment(root: Node, locate: Locate) -> list[Value[Pair]]:
    node = root.get("containerEnv")
    return [
        locate(Pair(str(key.value), text), value, "containerEnv", text)
        for key, value in (node.members if node is not None else ())
        if (text := value.text()) is not None
    ]


def _commands(root: Node, locate: Locate) -> list[Value[str]]:
    commands: list[Value[str]] = []
    for hook in (*_HOOKS, "postAttachCommand"):
        node = root.get(hook)
        if node is None:
            continue
        for command in [value for _, value in node.members] or [node]:
            text = " ".join(str(item.value) for item in command.items) or _text(command) or ""
            if text.strip():
                commands.append(locate(text, command, hook, text))
    return commands


def _items(node: Node | None) -> list[Node]:
    return node.items if node is not None else []


def _text(node: Node | None) -> str | None:
    return None if node is None else node.text()
