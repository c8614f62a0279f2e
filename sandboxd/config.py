"""`sandboxd.toml`: what a project asks for, read strictly, every value with its place.

A key that is not known, or a value of the wrong type, yields no config at all: a misspelt
restriction must not silently be none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from sandboxd.data import data_path
from sandboxd.files import CONFIG_NAME, find_upward
from sandboxd.findings import Finding, Place, Severity, is_reason

if TYPE_CHECKING:
    from sandboxd.syntax.node import Node, Tree
    from sandboxd.text import SourceText, Span

FILE_NAME = CONFIG_NAME

T = TypeVar("T")


class Setting(NamedTuple, Generic[T]):
    """A value and where it was written; `place` is None for a default."""

    value: T
    place: Place | None = None


class Allow(NamedTuple):
    """A rule that the project accepts findings of, and why; `expires` is an ISO date or None."""

    rule: str
    reason: str
    expires: str | None
    place: Place


class WorkspaceWishes(NamedTuple):
    """`[workspace]`: None where the profile, or what was found on disk, decides.

    `layout` is ``bind``, the host's folder itself, or ``clone``, a private copy of it; `hot` are
    folders, relative to the workspace, to be kept in memory; `shared_volumes` are named volumes
    that are not the project's alone.
    """

    layout: Setting[str] | None = None
    hot: tuple[Setting[str], ...] | None = None
    shared_volumes: tuple[Setting[str], ...] = ()


class Config(NamedTuple):
    """`path` is the file's path as it is shown, None when there is no file."""

    path: str | None
    workspace: str
    profile: Setting[str] = Setting("dev")
    runtime: Setting[str] = Setting("auto")
    image: Setting[str] | None = None
    user: Setting[str] | None = None
    capabilities: tuple[Setting[str], ...] = ()
    network: Setting[str] | None = None
    environment: tuple[Setting[tuple[str, str]], ...] = ()
    allow: tuple[Allow, ...] = ()
    rules: tuple[Setting[tuple[str, str]], ...] = ()
    digest: str = ""
    """Identity of the bytes that were read; '' when there is no file."""
    wishes: WorkspaceWishes = WorkspaceWishes()


def default(workspace: str) -> Config:
    """The config of a workspace that has no `sandboxd.toml`."""
    return Config(None, workspace)


def nearest(start: str) -> str | None:
    """Path of the `sandboxd.toml` in `start` or the closest folder above it."""
    return find_upward(start, FILE_NAME)


RUNTIMES = ("auto", "gvisor", "runc")
NETWORK_MODES = ("default", "none")
LAYOUTS = ("bind", "clone")
# A path that no tool that takes mounts apart breaks; the JSON schema has the same.
FOLDER_INSIDE = (
    r'^(?=.*\S)(?!\.\.?(/|$))[^/:,"\\$\x00-\x1f\x7f]+'
    r'(/(?!\.\.?(/|$))[^/:,"\\$\x00-\x1f\x7f]+)*$'
)
_FOLDERS = "folders below the workspace"
# As an engine takes it.
VOLUME_NAME = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$"
LEVELS = ("off", "hint", "warning", "error")

KEYS: dict[str, tuple[str, ...]] = {
    "": (
        "profile", "runtime", "image", "user", "capabilities", "network", "workspace", "environment",
        "allow", "rules",
    ),
    "capabilities": ("add",),
    "network": ("mode",),
    "workspace": ("layout", "hot", "shared_volumes"),
    "environment": (),
    "allow": ("rule", "reason", "expires"),
    "rules": (),
}  # fmt: skip
"""The known keys by table, none where they are the project's own; `config_keys` says what they mean."""

CAPABILITIES = (
    "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF",
    "CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID",
    "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE",
    "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "PERFMON",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT",
    "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE",
    "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
)  # fmt: skip


def profile_names() -> tuple[str, ...]:
    """Names of the profiles that ship."""
    folder = data_path("profiles", "hardening")
    return tuple(sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".toml")))


def parse(
    source: SourceText, workspace: str = "", rule_ids: Collection[str] | None = None
) -> tuple[Config | None, tuple[Finding, ...]]:
    """The config in `source` and what is wrong with it; any finding means no config.

    :param workspace: the folder it is for; by default that of the file
    :param rule_ids: ids that `[rules]` and `[[allow]]` may name; None leaves them unchecked
    """
    from sandboxd.syntax.toml import parse as parse_toml

    config, findings = check(source, parse_toml(source.text), rule_ids)
    if config is not None and workspace:
        config = config._replace(workspace=workspace)
    return config, findings


def check(
    source: SourceText, tree: Tree, rule_ids: Collection[str] | None = None
) -> tuple[Config | None, tuple[Finding, ...]]:
    """As `parse`, for a text that was parsed already."""
    reader = _Reader(source.path, rule_ids)
    for problem in tree.problems:
        reader.report("config-syntax-error", problem.span, problem.message, "syntax")
    values: dict[str, object] = {}
    if tree.root is not None:
        readers: dict[str, Callable[[Node], object]] = {
            "profile": reader.profile,
            "runtime": lambda node: reader.choice(node, "runtime", RUNTIMES),
            "image": lambda node: reader.own_text(node, "image"),
            "user": lambda node: reader.own_text(node, "user"),
            "capabilities": reader.capabilities,
            "network": reader.network,
            "workspace": reader.workspace,
            "environment": reader.environment,
            "allow": reader.allow,
            "rules": reader.levels,
        }
        for key, node in reader.members(tree.root, ""):
            values["wishes" if key == "workspace" else key] = readers[key](node)
    if reader.findings:
        return None, tuple(reader.findings)
    folder = os.path.dirname(os.path.abspath(source.path))
    return Config(source.path, folder, **values), ()  # type: ignore[arg-type]


def takes_from_host(text: str) -> bool:
    """True if a string names a variable of the host's environment."""
    lowered = text.lower()
    return "${localenv" in lowered or "${env" in lowered


_MOST_SUGGESTED = 50
_FROM_HOST = "copies a variable of the host, maybe a secret; give its value itself"


class _Reader:
    """Reads typed values out of nodes and collects findings where they are not what they must be."""

    def __init__(self, path: str, rule_ids: Collection[str] | None) -> None:
        self.path = path
        self.rule_ids = rule_ids
        self.findings: list[Finding] = []

    def report(self, rule: str, span: Span, message: str, evidence: str) -> None:
        place = Place(self.path, span)
        self.findings.append(Finding(rule, Severity.ERROR, message, place, evidence))

    def suggest(self, name: str, known: Collection[str]) -> str:
        """A known name that is close to a misspelt one; only for the first few, since the search is slow."""
        return _suggest(name, known) if len(self.findings) < _MOST_SUGGESTED else ""

    def wrong_type(self, node: Node, key: str, wanted: str) -> None:
        found = _shown(node)
        self.report("config-wrong-type", node.span, f"`{key}` must be {wanted}, not {found}", key)

    def members(self, node: Node, table: str) -> Iterator[tuple[str, Node]]:
        """The members of a table whose keys are known; the others are reported."""
        known = KEYS[table]
        if node.kind != "object":
            self.wrong_type(node, table, "a table")
            return
        for member in node.members:
            key = str(member.key.value)
            if known and key not in known:
                name = f"{table}.{key}" if table else key
                message = f"unknown key `{name}`" + self.suggest(key, known)
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
        """A text that goes into generated files, where the tool that reads them fills in variables."""
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
        found = []
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
                found.append(setting._replace(value=name))
        return tuple(found)

    def network(self, node: Node) -> Setting[str] | None:
        mode = None
        for _, value in self.members(node, "network"):
            mode = self.choice(value, "network.mode", NETWORK_MODES)
        return mode

    def workspace(self, node: Node) -> WorkspaceWishes:
        wishes = WorkspaceWishes()
        for key, value in self.members(node, "workspace"):
            if key == "layout":
                layout = self.choice(value, "workspace.layout", LAYOUTS)
                wishes = wishes._replace(layout=layout)
            elif value.kind != "array":
                self.wrong_type(value, f"workspace.{key}", "a list of strings")
            elif key == "hot":
                wishes = wishes._replace(hot=self.matching(value, key, FOLDER_INSIDE, _FOLDERS))
            else:
                found = self.matching(value, key, VOLUME_NAME, "volumes")
                wishes = wishes._replace(shared_volumes=found)
        return wishes

    def matching(self, node: Node, key: str, pattern: str, what: str) -> tuple[Setting[str], ...]:
        """The texts of a list in `[workspace]`; those that are no `what` by their form are reported."""
        import re

        found = []
        for item in node.items:
            setting = self.text(item, f"workspace.{key}")
            if setting is None:
                continue
            if not re.match(pattern[:-1] + r"\Z", setting.value):
                message = f"`workspace.{key}` must name {what}, not `{setting.value}`"
                self.report("config-invalid-value", item.span, message, f"workspace.{key}")
            found.append(setting)
        return tuple(found)

    def environment(self, node: Node) -> tuple[Setting[tuple[str, str]], ...]:
        found = []
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
                found.append(Setting((key, text), Place(self.path, value.span)))
        return tuple(found)

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
        found = []
        for key, value in self.members(node, "rules"):
            self._known_rule(key, value.span)
            level = self.choice(value, f"rules.{key}", LEVELS)
            if level is not None:
                found.append(Setting((key, level.value), level.place))
        return tuple(found)

    def _known_rule(self, rule: str, span: Span) -> None:
        if self.rule_ids is not None and rule not in self.rule_ids:
            message = f"there is no rule `{rule}`" + self.suggest(rule, self.rule_ids)
            self.report("config-invalid-value", span, message, rule)


def _shown(node: Node) -> str:
    """A value for a message: the scalar itself, or what kind of thing it is."""
    if node.kind in ("object", "array"):
        return "a table" if node.kind == "object" else "a list"
    if node.kind == "missing":
        return "nothing"
    text = str(node.value)
    if node.kind == "boolean":
        text = text.lower()
    return f"`{text[:80]}`"


def _suggest(name: str, known: Collection[str]) -> str:
    from difflib import get_close_matches

    close = [other for other in sorted(known) if name and other.startswith(name)]
    close = close or get_close_matches(name, list(known), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""
