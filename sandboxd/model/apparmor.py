"""An AppArmor profile, and what it lets a process do with a file."""

from __future__ import annotations

from sandboxd._typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import re

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
# A pattern longer than this is no path of anybody's; each is made into a regular expression.
_LONGEST = 500
# Each wildcard and each choice multiplies the ways in which a path may fit.
_MOST_CHOICES = 5
_compiled: dict[str, re.Pattern[str] | None] = {}


class AppArmorRule(NamedTuple):
    """One rule. `word` is its kind, ``file`` for paths; `rest` is what stands behind the kind.

    `path` and `permissions` are set for rules about files; a bare ``file,`` has the path ``/**``.
    A rule of a higher `priority` decides before those below it, whatever they deny (AppArmor 4.1).
    """

    word: str
    rest: str
    value: Value[str]
    deny: bool = False
    path: str = ""
    permissions: str = ""
    priority: int = 0


class AppArmorProfile(NamedTuple):
    """`preamble` are the lines outside of all profiles, `node` what stands between its braces.

    `attached` says that the kernel gives the profile, or the one around it, to a program of the host by
    its path: then it is none that an engine gives to a container by its name.
    """

    path: str
    name: Value[str]
    flags: tuple[str, ...]
    rules: tuple[AppArmorRule, ...]
    preamble: tuple[str, ...]
    node: Node
    place: Place
    attached: bool = False

    def of(self, word: str) -> list[AppArmorRule]:
        return [rule for rule in self.rules if rule.word == word]

    def includes(self) -> list[str]:
        """Return the names of included files, inside the profile and outside: ``abstractions/base``."""
        found = [rule.rest for rule in self.of("include")]
        for line in self.preamble:
            if line.startswith(("#include", "include")):
                found.append(line.partition("include")[2])
        return [name.replace("if exists", "").strip(' <>"\t') for name in found]

    def deciding(self, path: str, permission: str) -> AppArmorRule | None:
        """The rule that lets a process use `path` so, None when it may not.

        Of what is included nothing is known here: `abstractions/base` allows reading libraries.
        """
        covering = [rule for rule in self.rules if _covers(rule, path, permission)]
        highest = max((rule.priority for rule in covering), default=0)
        deciding = [rule for rule in covering if rule.priority == highest]
        if not deciding or any(rule.deny for rule in deciding):
            return None
        return deciding[0]

    def may(self, path: str, permission: str) -> bool:
        return self.deciding(path, permission) is not None

    def runs_programs(self) -> bool:
        """Return True if any rule allows to execute a program, in whichever mode."""
        return any(
            not rule.deny
            and (rule.word == "all" or (rule.word == "file" and _executes(rule.permissions)))
            for rule in self.rules
        )


def _executes(permissions: str) -> bool:
    return not permissions or "x" in permissions.lower()


def _covers(rule: AppArmorRule, path: str, permission: str) -> bool:
    if rule.word != "file":
        return rule.word == "all"
    if rule.permissions and permission not in rule.permissions:
        # Appending is less than writing, and is no way to do what a write does.
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
    """Count the wildcards and braces of a pattern; stars side by side count once."""
    stars = sum(1 for part in glob.replace("**", "*").split("*")[1:] if part != "*")
    return stars + glob.count("{") - glob.count("@{")


def _expression(glob: str) -> str:
    glob = _with_variables(glob.strip('"'))
    made: list[str] = []
    at = depth = 0
    while at < len(glob):
        char = glob[at]
        if glob.startswith("**", at):
            made.append(".*")
            at += 1
        elif char in "*?":
            made.append("[^/]*" if char == "*" else "[^/]")
        elif char == "[" and "]" in glob[at:]:
            close = glob.index("]", at)
            made.append(_set(glob[at + 1 : close]))
            at = close
        elif char == "{":
            made.append("(?:")
            depth += 1
        elif char == "}" and depth:
            made.append(")")
            depth -= 1
        elif char == "," and depth:
            made.append("|")
        else:
            made.append("\\" + char if not char.isalnum() and char.isascii() else char)
        at += 1
    return "".join(made)


def _set(inner: str) -> str:
    """One of several characters, where only a ``^`` in front and a ``-`` within mean something."""
    negation = "^" if inner.startswith("^") else ""
    escaped = [char if char.isalnum() or char == "-" else "\\" + char for char in inner]
    return f"[{negation}{''.join(escaped[len(negation) :])}]".replace("--", "\\-\\-")


def _with_variables(glob: str) -> str:
    """Well-known variables as the system defines them; of others nothing is known."""
    parts = glob.split("@{")
    made = [parts[0]]
    for part in parts[1:]:
        name, brace, rest = part.partition("}")
        made.append(_VARIABLES.get(name, "**") + rest if brace else part)
    return "".join(made).replace("//", "/")
