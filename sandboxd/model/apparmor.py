"""An AppArmor profile and its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.model.apparmor_access import FileAccess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandboxd.findings import Place
    from sandboxd.model.values import Value
    from sandboxd.syntax.node import Node


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
