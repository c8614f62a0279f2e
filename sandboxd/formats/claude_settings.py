"""`.claude/settings.json`: what a repository sets for Claude Code.

Source: https://code.claude.com/docs/en/settings, /permissions, /hooks and /sandboxing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.formats import _agent_events, _agent_reader, _claude_permissions, _defaults
from sandboxd.model.agent import AgentConfig, Program, Switch
from sandboxd.model.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.agent import Destination
    from sandboxd.syntax.node import Node
    from sandboxd.text import SourceText

NAME = "claude_settings"
NAMES = (".claude/settings.json", ".claude/settings.local.json")
LANGUAGES: tuple[str, ...] = ()
COMMENT = ""
WATCHED = ("**/.claude/settings*.json",)
LARGEST = _defaults.LARGEST
fits = _defaults.fits
recognises = _defaults.recognises
containers = _defaults.containers

OCCASIONS = {
    "SessionStart": "when a session starts",
    "Setup": "when a session is set up",
    "UserPromptSubmit": "with each prompt",
    "PreToolUse": "before each use of a tool",
    "PostToolUse": "after each use of a tool",
    "PostToolUseFailure": "after a tool failed",
    "PermissionRequest": "when a permission is asked for",
    "Notification": "with each notification",
    "SubagentStart": "when a subagent starts",
    "SubagentStop": "when a subagent ends",
    "Stop": "when an answer ends",
    "PreCompact": "before the conversation is compacted",
    "SessionEnd": "when a session ends",
}
_HELPERS = (
    ("apiKeyHelper", "for the key of each session"),
    ("awsAuthRefresh", "to refresh a login"),
    ("awsCredentialExport", "to get credentials"),
    ("gcpAuthRefresh", "to refresh a login"),
    ("otelHeadersHelper", "for the headers of telemetry"),
)
_DESTINATIONS = (
    ("env.ANTHROPIC_BASE_URL", "every prompt, with the key that signs it"),
    ("env.ANTHROPIC_BEDROCK_BASE_URL", "every prompt"),
    ("env.ANTHROPIC_VERTEX_BASE_URL", "every prompt"),
    ("env.ANTHROPIC_FOUNDRY_BASE_URL", "every prompt"),
    ("env.OTEL_EXPORTER_OTLP_ENDPOINT", "telemetry of each session"),
    ("env.OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "telemetry of each session"),
    ("env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "telemetry of each session"),
    ("env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "telemetry of each session"),
    ("env.HTTPS_PROXY", "all connections of the agent"),
    ("env.https_proxy", "all connections of the agent"),
    ("env.ALL_PROXY", "all connections of the agent"),
    ("env.all_proxy", "all connections of the agent"),
    ("env.HTTP_PROXY", "plain connections of the agent"),
    ("env.http_proxy", "plain connections of the agent"),
)
_MARKETS = "extraKnownMarketplaces"
_NO_PATH = re.compile(r"[^\w./-]")
_ENGINE = re.compile(r"docker|podman|containerd")
_HOME_AND_ROOT = ("", "~", "//", "$HOME", "/home", "/root", "/Users")


def matches(path: str) -> bool:
    return path.endswith(NAMES)


def parse(source: SourceText) -> Document:
    from sandboxd.syntax import jsonc

    return Document(NAME, source, jsonc.parse(source.text))


def subjects(document: Document) -> Iterator[tuple[str, object]]:
    yield "AgentConfig", _config(document.tree.root, document.source.path)


def _config(root: Node | None, path: str) -> AgentConfig:
    all_servers = _agent_reader.at(root, "enableAllProjectMcpServers")
    return AgentConfig(
        path,
        "Claude Code",
        tuple(_programs(root, path)),
        tuple(_questions(root, path)),
        tuple(_sandbox(root, path)),
        tuple(_destinations(root, path)),
        tuple(_agent_reader.variables(_agent_reader.at(root, "env"), path, "env")),
        asks_for_servers=all_servers is None or all_servers.value is not True,
    )


def _programs(root: Node | None, path: str) -> Iterator[Program]:
    switched_off = _agent_reader.at(root, "disableAllHooks")
    if switched_off is None or switched_off.value is not True:
        yield from _agent_reader.hooks(_agent_reader.at(root, "hooks"), path, OCCASIONS)
    for key, occasion in _HELPERS:
        yield from _agent_reader.helper(root, path, key, occasion)
    for key, occasion in (
        ("statusLine", "for the status line"),
        ("fileSuggestion", "for file names"),
    ):
        yield from _agent_reader.command(_agent_reader.at(root, key), path, key, occasion)
    yield from _plugins(root, path)


def _plugins(root: Node | None, path: str) -> Iterator[Program]:
    """Plug-ins from marketplaces that the repository names: hooks, servers and commands of a third party."""
    own = {name for name, _ in _agent_reader.members(_agent_reader.at(root, _MARKETS))}
    for name, entry in _agent_reader.members(_agent_reader.at(root, "enabledPlugins")):
        if entry.value is True and name.rpartition("@")[2] in own:
            read = _agent_reader.value(entry, path, f"enabledPlugins.{name}")
            command = read._replace(value=name, written=name)
            yield Program("server", "as a plug-in of a market that this file names", command, name)


def _questions(root: Node | None, path: str) -> Iterator[Switch]:
    yield from _agent_reader.switch(
        root,
        path,
        "permissions.defaultMode",
        "bypassPermissions",
        "runs every command without asking",
        is_total=True,
    )
    yield from _agent_reader.switch(
        root,
        path,
        "skipDangerousModePermissionPrompt",
        True,
        "leaves out the warning before all questions are switched off",
    )
    yield from _agent_reader.switch(
        root,
        path,
        "enableAllProjectMcpServers",
        True,
        "starts each server of `.mcp.json` without asking",
    )
    servers = _agent_reader.at(root, "enabledMcpjsonServers")
    for item in servers.items if servers is not None else ():
        if item.text():
            read = _agent_reader.value(item, path, "enabledMcpjsonServers")
            yield Switch(read, "starts this server of `.mcp.json` without asking", False)
    allowed = _agent_reader.at(root, "permissions", "allow")
    for item in allowed.items if allowed is not None else ():
        if item.text() in _agent_events.EVERY_COMMAND:
            read = _agent_reader.value(item, path, "permissions.allow")
            yield Switch(read, "allows every shell command without asking", is_total=True)
        elif effect := _claude_permissions.effect(item.text() or ""):
            read = _agent_reader.value(item, path, "permissions.allow")
            yield Switch(read, effect, is_total=False)


def _is_socket_of_engine(path: str) -> bool:
    """Whether a path ends with the name of an engine's socket."""
    if not path.endswith(".sock"):
        return False
    return _ENGINE.search(_NO_PATH.split(path.removesuffix(".sock"))[-1]) is not None


def _sandbox(root: Node | None, path: str) -> Iterator[Switch]:
    for key, weak, effect, is_total in (
        ("sandbox.enabled", False, "switches the agent's own sandbox off", True),
        ("sandbox.enableWeakerNestedSandbox", True, "makes the agent's own sandbox weaker", False),
        (
            "sandbox.network.allowAllUnixSockets",
            True,
            "lets commands reach every socket of this machine, the engine's among them",
            False,
        ),
    ):
        yield from _agent_reader.switch(root, path, key, weak, effect, is_total=is_total)
    sockets = _agent_reader.at(root, "sandbox", "network", "allowUnixSockets")
    for item in sockets.items if sockets is not None else ():
        if _is_socket_of_engine(item.text() or ""):
            read = _agent_reader.value(item, path, "sandbox.network.allowUnixSockets")
            yield Switch(read, "gives commands the engine, which is root on this machine", True)
    for key, places in (
        ("sandbox.filesystem.allowWrite", "lets commands write there"),
        ("permissions.additionalDirectories", "lets the agent work there"),
    ):
        listed = _agent_reader.at(root, *key.split("."))
        for item in listed.items if listed is not None else ():
            text = item.text() or ""
            is_whole = text.rstrip("/*") in _HOME_AND_ROOT
            if is_whole or _claude_permissions.leads_out(text):
                yield Switch(_agent_reader.value(item, path, key), places, is_whole)


def _destinations(root: Node | None, path: str) -> Iterator[Destination]:
    for key, data in _DESTINATIONS:
        yield from _agent_reader.destination(root, path, key, data)
    yield from _agent_reader.hook_addresses(_agent_reader.at(root, "hooks"), path)


edits = _defaults.json_edits
can = _defaults.by_edits(edits)
