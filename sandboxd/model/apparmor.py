"""An AppArmor profile, its rules, and which files they let a process use."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from sandboxd.findings import Place
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node

_VARIABLES = {
    "PROC": "/proc/",
    "sys": "/sys/",
    "run": "/run",
    "HOME": "/home/user",
    "HOMEDIRS": "/home/",
    "pid": "123",
    "pids": "123",
    "tid": "123",
}
# Longer patterns are not real paths; each pattern is compiled to a regular expression.
_LONGEST = 500
# Each wildcard and each alternative multiplies the work of a match.
_MOST_CHOICES = 5
_compiled: dict[str, re.Pattern[str] | None] = {}


class AppArmorRule(NamedTuple):
    """One rule. `word` is its kind, ``file`` for paths; `rest` is the text after the kind.

    `path` and `permissions` are set for rules about files; a bare ``file,`` has the path ``/**``. A rule of a
    higher `priority` decides before those below it, whatever they deny (AppArmor 4.1).
    """

    word: str
    rest: str
    value: Value[str]
    deny: bool = False
    path: str = ""
    permissions: str = ""
    priority: int = 0


class AppArmorPreamble(NamedTuple):
    """The statements outside of all profiles, read once for all the profiles of a file.

    `declared` are variables as they are used, ``@{HOME}``.
    """

    has_abi: bool
    has_include: bool
    includes_unknown: bool
    declared: frozenset[str]


def read_preamble(statements: Sequence[str]) -> AppArmorPreamble:
    includes = [one for one in statements if one.startswith(("#include", "include"))]
    return AppArmorPreamble(
        any(one.startswith("abi ") for one in statements),
        any("include" in one.split(maxsplit=1)[0] for one in statements if one.strip()),
        any(_is_unknown(one.partition("include")[2]) for one in includes),
        frozenset(one.partition("=")[0].strip(" +") for one in statements),
    )


def _is_unknown(include: str) -> bool:
    """Whether an included file may allow anything: the usual abstractions and tunables allow no execution."""
    name = include.replace("if exists", "").strip(' <>"\t')
    return not name.startswith(("abs", "tun", "abi/"))


class AppArmorProfile(NamedTuple):
    """One profile of an AppArmor file.

    `node` is the text between its braces. `attached`: the kernel applies the profile, or the one that contains it, to
    programs of the host by their path; then an engine cannot apply it to a container by name.
    """

    path: str
    name: Value[str]
    flags: tuple[str, ...]
    rules: tuple[AppArmorRule, ...]
    preamble: AppArmorPreamble
    node: Node
    place: Place
    attached: bool = False

    def of(self, word: str) -> list[AppArmorRule]:
        return [rule for rule in self.rules if rule.word == word]

    def includes_unknown(self) -> bool:
        """Whether the profile, or the file outside of it, includes a file whose content is not known."""
        return self.preamble.includes_unknown or any(
            _is_unknown(rule.rest) for rule in self.of("include")
        )

    def access(self) -> FileAccess:
        """The rules about files, prepared for fast look-ups by path."""
        return FileAccess(self.rules)

    def runs_programs(self) -> bool:
        """Whether any rule allows a program to be executed, in whichever mode."""
        return any(
            not rule.deny
            and (rule.word == "all" or (rule.word == "file" and _executes(rule.permissions)))
            for rule in self.rules
        )


def _executes(permissions: str) -> bool:
    return not permissions or "x" in permissions.lower()


class FileAccess:
    """The file rules of a profile, and which of them decides about a path.

    A profile may have thousands of rules, and some are compared with all others. So a rule is only tried for paths with
    the same beginning as its own path, up to the first wildcard.
    """

    def __init__(self, rules: Sequence[AppArmorRule]) -> None:
        self._rules = rules
        self._by_begin: dict[str, list[int]] = {}
        self._decided: dict[tuple[str, str], AppArmorRule | None] = {}
        for number, rule in enumerate(rules):
            if rule.word == "all":
                self._by_begin.setdefault("", []).append(number)
            elif rule.word == "file" and len(rule.path) <= _LONGEST:
                self._by_begin.setdefault(_literal_begin(rule.path), []).append(number)
        self._lengths = sorted({len(begin) for begin in self._by_begin})

    def deciding(self, path: str, permission: str) -> AppArmorRule | None:
        """The rule that allows a process to use `path` with `permission`; None if it may not.

        The content of included files is not known here: `abstractions/base`, for example, allows reading libraries.
        """
        question = (path, permission)
        if question not in self._decided:
            self._decided[question] = self._decide(path, permission)
        return self._decided[question]

    def may(self, path: str, permission: str) -> bool:
        return self.deciding(path, permission) is not None

    def _decide(self, path: str, permission: str) -> AppArmorRule | None:
        numbers = [
            number
            for length in self._lengths
            if length <= len(path)
            for number in self._by_begin.get(path[:length], ())
            if _covers(self._rules[number], path, permission)
        ]
        covering = [self._rules[number] for number in sorted(numbers)]
        highest = max((rule.priority for rule in covering), default=0)
        deciding = [rule for rule in covering if rule.priority == highest]
        if not deciding or any(rule.deny for rule in deciding):
            return None
        return deciding[0]


def _covers(rule: AppArmorRule, path: str, permission: str) -> bool:
    if rule.word != "file":
        return rule.word == "all"
    if rule.permissions and permission not in rule.permissions:
        # The permission to append allows less than the permission to write.
        return False
    pattern = _pattern(rule.path)
    return pattern is not None and pattern.fullmatch(path) is not None


def _pattern(glob: str) -> re.Pattern[str] | None:
    """The regular expression of a path with AppArmor's wildcards; None for what is none."""
    if glob not in _compiled:
        import re

        try:
            is_bounded = len(glob) <= _LONGEST and _choices(glob) <= _MOST_CHOICES
            _compiled[glob] = re.compile(_expression(glob)) if is_bounded else None
        except re.error:
            _compiled[glob] = None
    return _compiled[glob]


def _choices(glob: str) -> int:
    """The number of wildcards and braces in a pattern; adjacent stars count once."""
    stars = sum(1 for part in glob.replace("**", "*").split("*")[1:] if part != "*")
    return stars + glob.count("{") - glob.count("@{")


def _literal_begin(glob: str) -> str:
    """The part of a path before its first wildcard: every path that it matches begins with it."""
    plain = _with_variables(glob.strip('"'))
    return plain[: min(at if (at := plain.find(char)) >= 0 else len(plain) for char in "*?[{")]


def _expression(glob: str) -> str:
    glob = _with_variables(glob.strip('"'))
    parts: list[str] = []
    at = depth = 0
    while at < len(glob):
        char = glob[at]
        if glob.startswith("**", at):
            parts.append(".*")
            at += 1
        elif char in "*?":
            parts.append("[^/]*" if char == "*" else "[^/]")
        elif char == "[" and "]" in glob[at:]:
            close = glob.index("]", at)
            parts.append(_set(glob[at + 1 : close]))
            at = close
        elif char == "{":
            parts.append("(?:")
            depth += 1
        elif char == "}" and depth:
            parts.append(")")
            depth -= 1
        elif char == "," and depth:
            parts.append("|")
        else:
            parts.append("\\" + char if not char.isalnum() and char.isascii() else char)
        at += 1
    return "".join(parts)


def _set(inner: str) -> str:
    """The regular expression of a character set, in which only a leading ``^`` and a ``-`` within are special."""
    negation = "^" if inner.startswith("^") else ""
    escaped = [char if char.isalnum() or char == "-" else "\\" + char for char in inner]
    return f"[{negation}{''.join(escaped[len(negation) :])}]".replace("--", "\\-\\-")


def _with_variables(glob: str) -> str:
    """A path with well-known variables replaced by the system's usual values."""
    parts = glob.split("@{")
    texts = [parts[0]]
    for part in parts[1:]:
        name, brace, rest = part.partition("}")
        texts.append(_VARIABLES.get(name, "**") + rest if brace else part)
    return "".join(texts).replace("//", "/")
