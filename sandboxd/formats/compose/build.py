"""The key `build` of a Compose service, merged over all files that have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.formats.compose.values import boolean, entries, locate
from sandboxd.model.container import Build, Pair, Unseen
from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from sandboxd.formats.compose.project import Part
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node

_LISTS = (
    ("entitlements", "allow"),
    ("ssh", "ssh"),
    ("cache_from", "cache-from"),
    ("additional_contexts", "build-context"),
)
_PAIRS = ("ssh", "additional_contexts")


def build(parts: Sequence[Part], document: str) -> tuple[Value[Build], list[Unseen]]:
    """The build in `parts`, the values of the key `build` in the order of the files, and which of them are not read.

    Of a build argument and of an option with a name the last one counts.
    """
    single: dict[str, Any] = {}
    args: dict[str, Value[Pair]] = {}
    options: dict[object, Value[Pair]] = {}
    unseen: list[Unseen] = []
    for part in parts:
        node = yaml.target(part.node)
        if part.file.text(node):
            single["context"] = _path(part.node, part, "build", document)
        for key in ("context", "dockerfile", "target"):
            place = yaml.get(node, key)
            if place is not None and part.file.text(place):
                single[key] = _path(place, part, key, document)
        arguments = yaml.get(node, "args")
        if arguments is not None:
            for name, written, value in entries(part._replace(node=arguments), "="):
                pair = Pair(name, part.file.public(written or f"${{{name}}}"))
                args.pop(name, None)
                args[name] = locate(pair, value, part, "build", document)
        for identity, option in _options(node, part, document):
            options.pop(identity, None)
            if option is not None:
                options[identity] = option
        if yaml.get(node, "dockerfile_inline") is not None:
            unseen.append(Unseen("compose", "`dockerfile_inline` is not read"))
    last = parts[-1]
    if "context" not in single:
        single["context"] = locate(last.file.folder, last.node, last, "context", document)
    merged = Build(args=tuple(args.values()), options=tuple(options.values()), **single)
    return locate(merged, last.node, last, "build", document), unseen


def _path(node: Node, part: Part, key: str, document: str) -> Value[str]:
    text = part.file.resolve(part.file.text(node) or "")
    if key in ("build", "context") and not ("://" in text or text.startswith("git@")):
        text = part.file.host_path(text)
    return locate(text, node, part, key, document)


def _options(node: Node, part: Part, document: str) -> Iterator[tuple[object, Value[Pair] | None]]:
    """The options in the words of `docker build`, each with its key; a later file replaces those of the same key.

    The value None turns an option off.
    """
    network = yaml.get(node, "network")
    if network is not None and part.file.text(network):
        pair = Pair("network", part.file.resolve(part.file.text(network) or ""))
        yield "network", locate(pair, network, part, "build", document)
    privileged = yaml.get(node, "privileged")
    if privileged is not None:
        is_on = boolean(part.file.resolve(part.file.text(privileged) or ""))
        pair = Pair("allow", "security.insecure")
        value = locate(pair, privileged, part, "build", document)
        yield "privileged", value if is_on else None
    for key, option in _LISTS:
        table = yaml.get(node, key)
        if table is None:
            continue
        for name, written, item in entries(part._replace(node=table), ""):
            text = name if written is None else f"{name}={written}"
            pair = Pair(option, part.file.resolve(text))
            identity = (option, name.partition("=")[0] if key in _PAIRS else pair.value)
            yield identity, locate(pair, item, part, "build", document)
