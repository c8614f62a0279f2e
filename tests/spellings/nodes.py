"""The text of a node, and another one in its place."""

from __future__ import annotations

from sandboxd.syntax.node import Node


def put(text: str, node: Node, new: str) -> str:
    return text[: node.span.start] + new + text[node.span.end :]


def written(text: str, node: Node) -> str:
    return text[node.span.start : node.span.end]
