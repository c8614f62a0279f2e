"""Completion: the keys and values of a sandboxd.toml, on this host; and options that harden a container.

In a devcontainer.json it only completes the strings in `runArgs`, `capAdd` and `securityOpt`, as editors have the
official schema for the rest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from lsprotocol import types

from sandboxd import rules
from sandboxd.config import keys
from sandboxd.config.key import Key, Table
from sandboxd.config.values import LEVELS, NETWORK_MODES, profile_names
from sandboxd.egress import group, groups
from sandboxd.files import CONFIG_NAME
from sandboxd.host.facts import HostFacts
from sandboxd.lsp import convert
from sandboxd.lsp.context import Context
from sandboxd.lsp.documents import OpenDocument
from sandboxd.model.capabilities import CAPABILITIES
from sandboxd.model.safe_values import SAFE_VALUES
from sandboxd.syntax.node import Node, Parents, walk
from sandboxd.text import Span

_WORD = re.compile(r"(?<![\w./:=${}-])[\w./:=${}-]*+\Z")

_SAFE_OPTIONS = {
    "no-new-privileges": "setuid programs gain nothing",
    "seccomp=${localWorkspaceFolder}/seccomp.json": "a profile of your own",
}
_SAFE_ARGUMENTS = {
    "--cap-drop=ALL": "no capability that is not added",
    "--security-opt=no-new-privileges": "setuid programs gain nothing",
    "--pids-limit=4096": "no fork bomb",
    "--read-only": "the root file system cannot be written",
    "--network=none": "no network",
    "--init": "children are reaped",
}
Offer = tuple[str, str]


def register(context: Context) -> None:
    options = types.CompletionOptions(trigger_characters=['"', "=", "["])
    context.feature(types.TEXT_DOCUMENT_COMPLETION, Completion(context).complete, options)


class Completion:
    """Answers `textDocument/completion`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def complete(self, params: types.CompletionParams) -> list[types.CompletionItem]:
        document = self._context.judgements.document(params.text_document.uri)
        if document is None:
            return []
        at = self._context.offset(document, params.position)
        host = self._context.judgements.host
        if os.path.basename(document.source.path) == CONFIG_NAME:
            offers, kind = _in_config(document, at, host)
        else:
            offers = _in_devcontainer(document, at) or _of_setting(document, at)
            kind = types.CompletionItemKind.Value
        return [self._item(document, at, label, detail, kind) for label, detail in offers]

    def _item(
        self,
        document: OpenDocument,
        at: int,
        label: str,
        detail: str,
        kind: types.CompletionItemKind,
    ) -> types.CompletionItem:
        """An item that replaces the word before the cursor; editors differ in what they take for a word."""
        before = document.source.text[:at]
        word = _WORD.search(before[before.rfind("\n") + 1 :])
        start = at - len(word[0]) if word else at
        encoding = self._context.judgements.client().encoding
        place = convert.text_range(Span(start, at), document.source, encoding)
        return types.CompletionItem(
            label=label, kind=kind, detail=detail, text_edit=types.TextEdit(place, label)
        )


def _in_config(
    document: OpenDocument, at: int, host: HostFacts
) -> tuple[list[Offer], types.CompletionItemKind]:
    text = document.source.text
    line = text[text.rfind("\n", 0, at) + 1 : at]
    table = _table(text[:at])
    value = re.match(r"\s*([\w-]+)\s*=\s*(.*)", line, re.DOTALL)
    if line.lstrip().startswith("["):
        names = [(each.name, _detail(each)) for each in keys.tables() if each.name]
        return names, types.CompletionItemKind.Module
    if value is None and not _in_list(text[:at]):
        if table == "rules":
            return [(rule, "a rule") for rule in rules.ids()], types.CompletionItemKind.Property
        return _keys(table), types.CompletionItemKind.Property
    key = value[1] if value is not None else _in_list(text[:at])
    quoted = line.count('"') % 2 == 1
    offers = list(_values(table, key, host))
    if not quoted:
        offers = [(f'"{label}"', detail) for label, detail in offers]
    return offers, types.CompletionItemKind.Value


def _keys(table: str) -> list[Offer]:
    """The keys of a table, except in tables whose key names the project chooses."""
    tables = [each for each in keys.tables() if each.name == table and not each.is_open]
    return [(key.name, _detail(key)) for each in tables for key in each.keys]


def _detail(described: Table | Key) -> str:
    text = described.meaning
    return text[0].lower() + text[1:]


def _values(table: str, key: str, host: HostFacts) -> Iterator[Offer]:
    if (table, key) == ("", "profile"):
        yield from ((name, "a profile") for name in profile_names())
    elif (table, key) == ("", "runtime"):
        yield from _runtimes(host)
    elif (table, key) == ("network", "mode"):
        yield from ((mode, "") for mode in NETWORK_MODES)
    elif (table, key) == ("network", "allow"):
        yield from ((name, group.load(name).purpose) for name in groups.names())
    elif (table, key) == ("capabilities", "add"):
        yield from ((name, "a capability") for name in CAPABILITIES)
    elif table == "rules":
        yield from ((level, "") for level in LEVELS)
    elif (table, key) == ("allow", "rule"):
        yield from ((rule, "a rule") for rule in rules.ids())


def _runtimes(host: HostFacts) -> Iterator[Offer]:
    """The values of `runtime`, each with the state of that runtime on this host."""
    gvisor = host.usable_gvisor()
    yield "auto", f"here: {'gVisor' if gvisor else 'hardened runc'}" if host.engine else ""
    if gvisor is not None:
        yield "gvisor", f"`{gvisor.name}` started a container on this host"
    elif host.engine is None:
        yield "gvisor", "not known whether this host has it"
    yield "runc", "shares the host's kernel"


def _table(before: str) -> str:
    """The name of the table that the end of `before` is in."""
    headers = re.findall(
        r"^[ \t]*\[\[?[ \t]*([\w-]+)[ \t]*\]\]?[ \t]*(?:#.*)?$", before, re.MULTILINE
    )
    return str(headers[-1]) if headers else ""


def _in_list(before: str) -> str:
    """The key whose list is open at the end of `before`, '' when none is."""
    opened = before.rfind("[")
    if opened < 0 or "]" in before[opened:]:
        return ""
    key = re.search(r"(?<![\w-])([\w-]++)\s*+=\s*+\Z", before[:opened])
    return key[1] if key else ""


def _in_devcontainer(document: OpenDocument, at: int) -> list[Offer]:
    if os.path.basename(document.source.path) not in ("devcontainer.json", ".devcontainer.json"):
        return []
    root = document.parsed.tree.root
    for key, offers in (
        ("capAdd", [(name, "a capability") for name in CAPABILITIES]),
        ("securityOpt", list(_SAFE_OPTIONS.items())),
        ("runArgs", list(_SAFE_ARGUMENTS.items())),
    ):
        node = root.get(key) if root is not None else None
        if node is not None and _is_in_string(node, at):
            return offers
    return []


def _of_setting(document: OpenDocument, at: int) -> list[Offer]:
    """The values of the setting at `at` that keep a guard; in quotes, what stands between them."""
    known = SAFE_VALUES.get(document.parsed.kind, {})
    tree = document.parsed.tree
    root = tree.root
    if not known or root is None:
        return []
    for node in walk(root):
        is_here = node.span.start < at <= node.span.end or node.span.start == node.span.end == at
        if node.kind in ("object", "array") or not is_here:
            continue
        place = tree.parents.member(node)
        if place is None or place[1].value is not node:
            continue
        values = known.get(_path(tree.parents, node), ())
        quoted = node.kind == "string" and document.source.text[node.span.start] in "\"'"
        return [(value.strip('"') if quoted else value, "keeps the guard") for value in values]
    return []


def _path(parents: Parents, node: Node) -> str:
    """The names above a value with dots between them, dotted or nested as they are."""
    names: list[str] = []
    here: Node | None = node
    while here is not None:
        place = parents.member(here)
        if place is not None:
            names.append(str(place[1].key.value))
        here = parents.of(here)
    return ".".join(reversed(names))


def _is_in_string(array: Node, at: int) -> bool:
    return any(
        node.kind == "string" and node.span.start < at <= node.span.end for node in walk(array)
    )
