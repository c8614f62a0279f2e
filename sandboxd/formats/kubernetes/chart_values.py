"""The defaults of a Helm chart (its `values.yaml`), and what simple actions of its templates make of them.

An action that is a value (`.Values.a.b`, `$.Values.a`, `.` within a `with`), also by `toYaml`, is written as Helm writes
it without other values, in the flow form and only where it fits into the place of the action: positions stay those of
the template. What an action does otherwise is not worked out.

Source: https://helm.sh/docs/chart_template_guide/values_files/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import UnreadableError
from sandboxd.syntax import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.formats import Resolver
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

_PATH = r"(\$?\.Values(?:\.\w+)+|\.(?:\w+(?:\.\w+)*)?)"
_CONDITION = re.compile(rf"(?:if|with)\s+(not\s+)?{_PATH}")
_VALUE = re.compile(
    rf"(?:toYaml\s+)?{_PATH}((?:\s*\|\s*(?:n?indent\s+\d+|quote|squote|trim|toString|toYaml))*)"
)
_PLAIN = re.compile(r"[A-Za-z_/][\w./-]*")
_NOT_PLAIN = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
_WEIGHTY = frozenset(
    {
        *("add", "allowPrivilegeEscalation", "capabilities", "hostIP", "hostPath", "hostPort"),
        *("mountPath", "name", "path", "privileged", "procMount", "readOnly", "runAsUser"),
        *("seLinuxOptions", "seccompProfile", "type", "value"),
    }
)
"""Keys that are written where not all fit."""
_DEEPEST = 8


class Scope(NamedTuple):
    """What `.` is at a place of a template: the top with `.Values`, a value, or something unknown (None)."""

    is_top: bool
    dot: Node | None


TOP = Scope(True, None)
UNKNOWN = Scope(False, None)


class Defaults:
    """The values of a chart that nobody else has set."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def condition(self, action: str, scope: Scope) -> tuple[bool | None, Node | None]:
        """Whether an `if` or a `with` lets its block in, None if that is not known; and the value it asks for."""
        match = _CONDITION.fullmatch(_inner(action))
        if match is None:
            return None, None
        is_known, node = self._find(match[2], scope)
        return (_is_true(node) is not bool(match[1]) if is_known else None), node

    def written(self, action: str, scope: Scope) -> str | None:
        """What an action writes, at most as long as it is itself; None where that is not known or does not fit."""
        match = _VALUE.fullmatch(_inner(action))
        is_known, node = self._find(match[1], scope) if match is not None else (False, None)
        if match is None or not is_known or node is None:
            return None
        if "quote" in match[2]:
            plain = yaml.scalar_text(node)
            text = None if plain is None else _quoted(plain)
        else:
            text = _Flow(len(action), weighty_only=False).text(node) or _Flow(
                len(action), weighty_only=True
            ).text(node)
        return text if text is not None and len(text) <= len(action) else None

    def _find(self, path: str, scope: Scope) -> tuple[bool, Node | None]:
        """Whether it is known what stands at a path, and that; None if there is nothing."""
        *_, rest = path.partition(".Values.")
        if path.startswith("$") or (scope.is_top and path.startswith(".Values.")):
            return True, yaml.get(self.root, *rest.split("."))
        if scope.is_top or scope.dot is None:
            return False, None
        names = path[1:].split(".") if path != "." else ()
        return True, yaml.get(scope.dot, *names)


def of_chart(template: str, variables: Resolver) -> Defaults | None:
    """The defaults for the template at this path; None where there is no chart around it with values that can be read."""
    folder, separator, _ = template.rpartition("/templates/")
    if not separator:
        return None
    try:
        # Both are beside what makes the folder a chart, which need not be in a repository.
        chart = variables.read(f"{folder}/Chart.yaml", f"{folder}/Chart.yaml").path
        source = variables.read(f"{folder}/values.yaml", chart)
    except UnreadableError:
        return None
    root = (
        variables.files.parsed_texts.parsed(source, _root) if variables.files is not None else None
    )
    return Defaults(root) if root is not None and root.kind == "object" else None


def _root(source: SourceText) -> Node | None:
    """The values in a text, None where it is no YAML."""
    tree = yaml.parse(source.text)
    return None if tree.errors else tree.root


def _inner(action: str) -> str:
    """What stands between the braces of an action."""
    return action[2:-2].removeprefix("-").removesuffix("-").strip()


def _is_true(node: Node | None) -> bool:
    if node is None:
        return False
    if node.kind in ("object", "array"):
        return bool(node.members or node.items)
    return bool(node.value)


class _TooLongError(Exception):
    pass


class _Flow:
    """Writes a value in one line."""

    def __init__(self, room: int, *, weighty_only: bool) -> None:
        self.room = room
        self.weighty_only = weighty_only

    def text(self, node: Node) -> str | None:
        """The value as text, None where it does not fit."""
        try:
            return self._any(node, 0)
        except _TooLongError:
            return None

    def _any(self, node: Node, depth: int) -> str:
        node = yaml.target(node)
        if depth > _DEEPEST:
            raise _TooLongError
        if node.kind == "object":
            inside = self._members(node, depth)
            return "{" + inside + "}"
        if node.kind == "array":
            return "[" + self._joined(self._any(item, depth + 1) for item in node.items) + "]"
        plain = yaml.scalar_text(node)
        if plain is None:
            return "null"
        is_plain = _PLAIN.fullmatch(plain) and plain.lower() not in _NOT_PLAIN
        return plain if node.kind != "string" or is_plain else _quoted(plain)

    def _members(self, node: Node, depth: int) -> str:
        return self._joined(
            f"{self._key(key)}: {self._any(value, depth + 1)}"
            for key, value in yaml.members(node)
            if not self.weighty_only or key.value in _WEIGHTY
        )

    def _key(self, key: Node) -> str:
        text = yaml.scalar_text(key) or ""
        return text if _PLAIN.fullmatch(text) else _quoted(text)

    def _joined(self, parts: Iterable[str]) -> str:
        """The parts with commas; an end as soon as they do not fit any more, however many there are."""
        written: list[str] = []
        length = 0
        for part in parts:
            length += len(part) + 1
            if length > self.room:
                raise _TooLongError
            written.append(part)
        return ",".join(written)


def _quoted(text: str) -> str:
    # Late: most values are plain words.
    import json

    return json.dumps(text, ensure_ascii=False)
