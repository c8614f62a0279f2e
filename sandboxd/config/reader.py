"""Reads typed values out of the nodes of a `sandboxd.toml`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sandboxd.config.keys import names_by_table
from sandboxd.config.model import Allow, CredentialWishes, NetworkWishes, Setting, WorkspaceWishes
from sandboxd.config.values import (
    FEATURE,
    FOLDER_BESIDE,
    FOLDER_INSIDE,
    GPU,
    IGNORE_PATTERN,
    LAYOUTS,
    LEVELS,
    MODES_WITHOUT_NAMES,
    NETWORK_MODES,
    PORT,
    VOLUME_NAME,
    profile_names,
    takes_from_host,
)
from sandboxd.findings import Finding, Place, Severity, is_reason
from sandboxd.model.capabilities import CAPABILITIES

if TYPE_CHECKING:
    from sandboxd.credentials.name import Name
    from sandboxd.egress.entries import Entry
    from sandboxd.syntax.node import Node
    from sandboxd.text import Span

_MOST_SUGGESTED = 50
_FROM_HOST = "copies a variable of the host, maybe a secret; give its value itself"
_FOLDERS = "folders below the workspace"
_PATTERNS = "files, as a `.gitignore` does, without `!`"
_LISTS = {
    "hot": (FOLDER_INSIDE, _FOLDERS),
    "sync": (FOLDER_INSIDE, _FOLDERS),
    "hide": (IGNORE_PATTERN, _PATTERNS),
    "show": (IGNORE_PATTERN, _PATTERNS),
    "folders": (FOLDER_BESIDE, "folders beside the workspace, as `../lib`"),
    "shared_volumes": (VOLUME_NAME, "volumes"),
}
"""The lists of the table `[workspace]`: the form of an item, and what it names."""
_PORTS = "ports, as `3000`, `3000:8080` or `db:5432`"


class Reader:
    """Reads typed values from the nodes of a parsed `sandboxd.toml`; reports each value that is not valid as a
    finding.
    """

    def __init__(self, path: str, rule_ids: Collection[str] | None) -> None:
        self.path = path
        self.rule_ids = rule_ids
        self.findings: list[Finding] = []

    def report(self, rule: str, span: Span, message: str, evidence: str) -> None:
        place = Place(self.path, span)
        self.findings.append(Finding(rule, Severity.ERROR, message, place, evidence))

    def suggest(self, name: str, names: Collection[str]) -> str:
        """A hint with the known name that is closest to a misspelt one; '' for none.

        Only for the first few misspelt names, since the search is slow.
        """
        return _suggest(name, names) if len(self.findings) < _MOST_SUGGESTED else ""

    def wrong_type(self, node: Node, key: str, expected: str) -> None:
        actual = _describe(node)
        self.report(
            "config-wrong-type", node.span, f"`{key}` must be {expected}, not {actual}", key
        )

    def members(self, node: Node, table: str) -> Iterator[tuple[str, Node]]:
        """(key, value) of a table for each known key; the others are reported.

        :param table: its name, '' for the top level
        """
        names = names_by_table()[table]
        if node.kind != "object":
            self.wrong_type(node, table, "a table")
            return
        for member in node.members:
            key = str(member.key.value)
            if names and key not in names:
                name = f"{table}.{key}" if table else key
                message = f"unknown key `{name}`" + self.suggest(key, names)
                self.report("config-unknown-key", member.key.span, message, name)
            else:
                yield key, member.value

    def text(self, node: Node, key: str) -> Setting[str] | None:
        value = node.text()
        if value is None:
            self.wrong_type(node, key, "a string")
            return None
        if not value.strip():
            self.report("config-invalid-value", node.span, f"`{key}` is empty", key)
            return None
        return Setting(value, Place(self.path, node.span))

    def own_text(self, node: Node, key: str) -> Setting[str] | None:
        """The text of a value that goes into generated files; a reference to a variable of the host is reported."""
        setting = self.text(node, key)
        if setting is not None and takes_from_host(setting.value):
            self.report("config-invalid-value", node.span, f"`{key}` {_FROM_HOST}", key)
        return setting

    def choice(self, node: Node, key: str, allowed: Sequence[str]) -> Setting[str] | None:
        setting = self.text(node, key)
        if setting is not None and setting.value not in allowed:
            names = ", ".join(f"`{name}`" for name in allowed)
            message = f"`{key}` must be one of {names}, not `{setting.value}`"
            self.report("config-invalid-value", node.span, message, key)
        return setting

    def profile(self, node: Node) -> Setting[str] | None:
        setting = self.text(node, "profile")
        names = profile_names()
        if setting is not None and setting.value not in names:
            listed = ", ".join(f"`{name}`" for name in names)
            message = f"there is no profile `{setting.value}`; there are {listed}"
            self.report("config-unknown-profile", node.span, message, setting.value)
        return setting

    def capabilities(self, node: Node) -> tuple[Setting[str], ...]:
        added = []
        for key, value in self.members(node, "capabilities"):
            if value.kind != "array":
                self.wrong_type(value, f"capabilities.{key}", "a list of strings")
                continue
            for item in value.items:
                setting = self.text(item, "capabilities.add")
                if setting is None:
                    continue
                name = setting.value.upper().removeprefix("CAP_")
                if name not in CAPABILITIES:
                    message = f"there is no capability `{setting.value}`" + self.suggest(
                        name, CAPABILITIES
                    )
                    self.report("config-invalid-value", item.span, message, name)
                added.append(setting._replace(value=name))
        return tuple(added)

    def devices(self, node: Node) -> tuple[Setting[str], ...]:
        gpus: tuple[Setting[str], ...] = ()
        for key, value in self.members(node, "devices"):
            if value.kind != "array":
                self.wrong_type(value, f"devices.{key}", "a list of strings")
            else:
                gpus = self.matching(value, f"devices.{key}", GPU, "`all`, a number or a UUID")
        return gpus

    def skip_features(self, node: Node) -> tuple[Setting[str], ...]:
        if node.kind != "array":
            self.wrong_type(node, "skip_features", "a list of strings")
            return ()
        return self.matching(node, "skip_features", FEATURE, "Features, or `*` for all of them")

    def network(self, node: Node) -> NetworkWishes:
        # Late: most files have no list of names.
        from sandboxd.egress.entries import entry, private_entry

        wishes = NetworkWishes()
        for key, value in self.members(node, "network"):
            if key == "mode":
                wishes = wishes._replace(mode=self.choice(value, "network.mode", NETWORK_MODES))
            elif value.kind != "array":
                self.wrong_type(value, f"network.{key}", "a list of strings")
            elif key == "allow":
                wishes = wishes._replace(allow=self._entries(value, key, entry))
            elif key == "forward":
                ports = self.matching(value, "network.forward", PORT, _PORTS)
                wishes = wishes._replace(forward=ports)
            else:
                wishes = wishes._replace(private=self._entries(value, key, private_entry))
        self._no_idle_list(node, wishes)
        return wishes

    def _entries(
        self, node: Node, key: str, read: Callable[[str], Entry]
    ) -> tuple[Setting[Entry], ...]:
        from sandboxd.egress.entries import NotAnEntry

        entries = []
        for item in node.items:
            setting = self.text(item, f"network.{key}")
            if setting is None:
                continue
            try:
                entries.append(Setting(read(setting.value), setting.place))
            except NotAnEntry as error:
                message = f"`{setting.value}` {error}"
                self.report("config-invalid-value", item.span, message, setting.value)
        return tuple(entries)

    def _no_idle_list(self, node: Node, wishes: NetworkWishes) -> None:
        """Report a list of names beside a mode that ignores it: a restriction must not silently be none."""
        mode = wishes.mode
        if mode is None or mode.value not in MODES_WITHOUT_NAMES:
            return
        for key in ("allow", "private"):
            entries = node.get(key)
            if entries is not None:
                message = f'`network.{key}` does nothing beside `mode = "{mode.value}"`'
                self.report("config-invalid-value", entries.span, message, f"network.{key}")

    def credentials(self, node: Node) -> CredentialWishes:
        wishes = CredentialWishes()
        for key, value in self.members(node, "credentials"):
            if value.kind != "array":
                self.wrong_type(value, f"credentials.{key}", "a list of strings")
            elif key == "use":
                wishes = wishes._replace(use=self._credential_names(value, key))
            else:
                wishes = wishes._replace(required=self._credential_names(value, key))
        self._one_account_each((*wishes.use, *wishes.required))
        return wishes

    def _credential_names(self, node: Node, key: str) -> tuple[Setting[Name], ...]:
        from sandboxd.credentials import name, services

        names = []
        for item in node.items:
            setting = self.text(item, f"credentials.{key}")
            if setting is None:
                continue
            try:
                names.append(Setting(name.parse(setting.value), setting.place))
            except name.NotACredential as error:
                close = self.suggest(setting.value, services.names())
                suggestion = close if isinstance(error, name.UnknownService) else ""
                message = f"`{setting.value}` {error}{suggestion}"
                self.report("config-invalid-value", item.span, message, setting.value)
        return tuple(names)

    def _one_account_each(self, names: Sequence[Setting[Name]]) -> None:
        """Report two accounts of one service: tools inside have one address for it, so it would be unclear who acts."""
        first: dict[str, Name] = {}
        for setting in names:
            other = first.setdefault(setting.value.service, setting.value)
            if other != setting.value and setting.place is not None:
                message = f"`{other}` and `{setting.value}` are two accounts of one service"
                span = setting.place.span
                self.report("config-invalid-value", span, message, str(setting.value))

    def workspace(self, node: Node) -> WorkspaceWishes:
        wishes = WorkspaceWishes()
        for key, value in self.members(node, "workspace"):
            if key == "layout":
                layout = self.choice(value, "workspace.layout", LAYOUTS)
                wishes = wishes._replace(layout=layout)
            elif value.kind != "array":
                self.wrong_type(value, f"workspace.{key}", "a list of strings")
            else:
                texts: Any = self.matching(value, f"workspace.{key}", *_LISTS[key])
                wishes = wishes._replace(**{key: texts})
        return wishes

    def others(self, node: Node) -> tuple[Setting[str], ...] | None:
        patterns = None
        for key, value in self.members(node, "check"):
            if value.kind != "array":
                self.wrong_type(value, f"check.{key}", "a list of strings")
            else:
                patterns = self.matching(value, f"check.{key}", IGNORE_PATTERN, _PATTERNS)
        return patterns

    def limits(self, node: Node) -> tuple[Setting[tuple[str, str | int]], ...]:
        from sandboxd.model import limits

        settings = []
        for key, value in self.members(node, "limits"):
            written = value.value if value.kind == "number" else value.text()
            if limits.is_value(written, key):
                settings.append(Setting((key, written), Place(self.path, value.span)))
            else:
                message = (
                    f"`limits.{key}` must be {limits.FORMS[key].words}, not {_describe(value)}"
                )
                self.report("config-invalid-value", value.span, message, f"limits.{key}")
        return tuple(settings)

    def where(self, node: Node) -> Setting[str] | None:
        context = None
        for key, value in self.members(node, "where"):
            context = self.text(value, f"where.{key}")
        return context

    def matching(self, node: Node, key: str, pattern: str, what: str) -> tuple[Setting[str], ...]:
        """The texts of a list that match `pattern`; each other one is reported as not being `what`."""
        import re

        settings = []
        for item in node.items:
            setting = self.text(item, key)
            if setting is None:
                continue
            if not re.match(pattern[:-1] + r"\Z", setting.value):
                message = f"`{key}` must name {what}, not `{setting.value}`"
                self.report("config-invalid-value", item.span, message, key)
            settings.append(setting)
        return tuple(settings)

    def environment(self, node: Node) -> tuple[Setting[tuple[str, str]], ...]:
        variables = []
        for key, value in self.members(node, "environment"):
            text = value.text()
            if text is None:
                self.wrong_type(value, f"environment.{key}", "a string")
            elif not key or "=" in key or "\0" in key + text:
                message = f"`{key}` cannot be the name of a variable"
                self.report("config-invalid-value", value.span, message, key)
            elif takes_from_host(text):
                message = f"`environment.{key}` {_FROM_HOST}"
                self.report("config-invalid-value", value.span, message, key)
            else:
                variables.append(Setting((key, text), Place(self.path, value.span)))
        return tuple(variables)

    def allow(self, node: Node) -> tuple[Allow, ...]:
        if node.kind != "array":
            self.wrong_type(node, "allow", "a list of tables (`[[allow]]`)")
            return ()
        entries = [self._allow_entry(item) for item in node.items]
        return tuple(entry for entry in entries if entry is not None)

    def _allow_entry(self, node: Node) -> Allow | None:
        texts: dict[str, str] = {}
        for key, value in self.members(node, "allow"):
            if key == "expires":
                texts[key] = self._date(value)
            else:
                setting = self.text(value, f"allow.{key}")
                texts[key] = setting.value if setting else ""
                if key == "rule" and setting is not None:
                    self._known_rule(setting.value, value.span)
                if key == "reason" and setting is not None and not is_reason(setting.value):
                    message = "`reason` does not say why the findings are accepted"
                    self.report("config-invalid-value", value.span, message, setting.value)
        for key in ("rule", "reason"):
            if node.kind == "object" and key not in texts:
                message = f"`[[allow]]` needs `{key}`"
                self.report("config-invalid-value", node.span, message, f"allow.{key}")
                return None
        if node.kind != "object":
            return None
        place = Place(self.path, node.span)
        return Allow(texts["rule"], texts["reason"], texts.get("expires"), place)

    def _date(self, node: Node) -> str:
        from datetime import date

        text = str(node.value)
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            self.wrong_type(node, "allow.expires", "a date such as 2027-01-31")
            return ""

    def levels(self, node: Node) -> tuple[Setting[tuple[str, str]], ...]:
        levels = []
        for key, value in self.members(node, "rules"):
            self._known_rule(key, value.span)
            level = self.choice(value, f"rules.{key}", LEVELS)
            if level is not None:
                levels.append(Setting((key, level.value), level.place))
        return tuple(levels)

    def _known_rule(self, rule: str, span: Span) -> None:
        if self.rule_ids is not None and rule not in self.rule_ids:
            message = f"there is no rule `{rule}`" + self.suggest(rule, self.rule_ids)
            self.report("config-invalid-value", span, message, rule)


def _describe(node: Node) -> str:
    """A value for a message: the scalar itself, or what kind of thing it is."""
    if node.kind in ("object", "array"):
        return "a table" if node.kind == "object" else "a list"
    if node.kind == "missing":
        return "nothing"
    text = str(node.value)
    if node.kind == "boolean":
        text = text.lower()
    return f"`{text[:80]}`"


def _suggest(name: str, names: Collection[str]) -> str:
    from difflib import get_close_matches

    close = [other for other in sorted(names) if name and other.startswith(name)]
    close = close or get_close_matches(name, list(names), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""
