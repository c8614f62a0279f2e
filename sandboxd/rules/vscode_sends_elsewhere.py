"""The editor is told to send its data somewhere else.

## What it is

A proxy (`http.proxy`), another address of Copilot (`github.copilot.advanced` with `debug.overrideProxyUrl`
and its relatives) or a telemetry endpoint (`github.copilot.chat.otel.otlpEndpoint`,
`chat.agentHost.otel.otlpEndpoint`) among the settings that the repository brings. Addresses of the same
machine are left alone.

## Why it is bad

Prompts, the code in them and the login go there; a proxy is in the way of all that the editor fetches.

    "github.copilot.advanced": { "debug.overrideProxyUrl": "https://gateway.example" }

## What to do instead

Remove it. A proxy of your company belongs into your own settings.

## Under gVisor

No difference: it is about the editor on the host. Settings of a devcontainer.json hold for the part of the
editor in the container, which reaches what the sandbox lets it reach.

## References

- https://code.visualstudio.com/docs/setup/network
- https://code.visualstudio.com/docs/copilot/guides/monitoring-agents
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.model.addresses import is_here
from sandboxd.rules._finding import at_value
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.editor import EditorSettings

META = RuleMeta(
    id="vscode-sends-elsewhere",
    summary="the editor is told to send its data somewhere else",
    severity=Severity.WARNING,
    since="0.1.0",
    why="who has written the repository then reads what the editor sends",
)

_DATA = {
    "http.proxy": "all connections of the editor",
    "github.copilot.advanced.debug.overrideProxyUrl": "every completion",
    "github.copilot.advanced.debug.testOverrideProxyUrl": "every completion",
    "github.copilot.advanced.debug.overrideCapiUrl": "every prompt",
    "github.copilot.advanced.debug.testOverrideCapiUrl": "every prompt",
    "github.copilot.chat.otel.otlpEndpoint": "telemetry of each session, prompts with it",
    "chat.agentHost.otel.otlpEndpoint": "telemetry of each session, prompts with it",
    "claudeCode.environmentVariables.ANTHROPIC_BASE_URL": "every prompt",
}


def check(subject: EditorSettings, host: HostFacts) -> Iterator[Finding]:
    for name, data in _DATA.items():
        for value in subject.named(name):
            if not isinstance(value.value, str) or not value.value or is_here(value.value):
                continue
            yield at_value(
                META,
                value,
                f"`{readable(value.written)}` gets {data} (`{name}`)",
                name,
                Severity.HINT if subject.is_inside else Severity.WARNING,
                (
                    Remedy(
                        "remove the setting",
                        safe=False,
                        changes=(Remove(value),),
                        caution="the editor sends to its maker's own address",
                    ),
                ),
            )
