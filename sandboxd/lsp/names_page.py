"""Entries of `[network] allow` in a sandboxd.toml: their places, and what they let through."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd.egress import group, words
from sandboxd.egress.entries import Entry, NotAnEntry, entry
from sandboxd.egress.groups import names as group_names
from sandboxd.files import CONFIG_NAME
from sandboxd.markup import in_cell, in_markdown

if TYPE_CHECKING:
    from sandboxd.lsp.documents import OpenDocument
    from sandboxd.syntax.node import Node
    from sandboxd.text import Span


def table(document: OpenDocument) -> Span | None:
    """The first place of `[network]` in a sandboxd.toml; None if it has none."""
    root = document.parsed.tree.root
    if os.path.basename(document.source.path) != CONFIG_NAME or root is None:
        return None
    return next((m.key.span for m in root.members if m.key.value == "network"), None)


def page_at(document: OpenDocument, at: int) -> tuple[Span, str] | None:
    """The place of the entry at the offset `at`, and its page as Markdown; None if there is no entry."""
    for node in _entries(document):
        text = node.text()
        if text is not None and node.span.start <= at <= node.span.end:
            try:
                return node.span, _page(entry(text))
            except NotAnEntry:
                return None
    return None


def _entries(document: OpenDocument) -> tuple[Node, ...]:
    root = document.parsed.tree.root
    if table(document) is None or root is None:
        return ()
    network = root.get("network")
    allow = network.get("allow") if network is not None and network.kind == "object" else None
    return tuple(allow.items) if allow is not None and allow.kind == "array" else ()


def _page(meant: Entry) -> str:
    if meant.pattern is not None:
        ports = ", ".join(map(str, meant.ports))
        return in_markdown(f"`{meant.pattern}` at port {ports}: {words.CONSEQUENCE}.")
    assert meant.group in group_names()
    loaded = group.load(meant.group)
    lines = [
        f"**{loaded.name}**: {in_markdown(loaded.purpose)}",
        "",
        f"It also means: {in_markdown(loaded.admits)}.",
        "",
        "| host | ports | what for | said by |",
        "|---|---|---|---|",
    ]
    for host in loaded.hosts:
        ports = ", ".join(map(str, host.ports))
        # The page is of our own file, not of the repository: it may be a link.
        lines.append(
            f"| {in_cell(str(host.pattern))} | {ports} | {in_cell(host.why)} | [page]({host.source}) |"
        )
    return "\n".join(lines)
