"""Modules that differ from others of their room: those that grow, those that are pure, those that start others."""

from __future__ import annotations

# Commands that only start another room's main loop.
LATE_IMPORTS: dict[str, frozenset[str]] = {
    "cli.commands.daemon": frozenset({"daemon"}),
    "cli.commands.lsp": frozenset({"lsp"}),
    "cli.daemon_install": frozenset({"daemon"}),
    "cli.self_tests": frozenset({"lsp"}),
}

# Folders that grow by one file, or folder, a thing. It never imports a sibling, only `_helpers`.
GROWTH = (
    "formats",
    "rules",
    "rules.families",
    "host.platforms",
    "render",
    "render.pages",
    "inside.escapes",
    "inside.escapes.premises",
    "inside.workloads",
    "plan.writers",
    "observe.controls",
    "lsp.features",
    "cli.commands",
)

# Folders of a growth folder that put its files together: they import them, and none of those imports these.
ABOVE_SIBLINGS = ("formats.resolved",)

# Pure modules and folders of a room that otherwise may.
PURE = (
    "host.advisories",
    "host.facts",
    "host.platforms",
    "engine.unreachable",
    "egress.broker",
    "egress.layout",
    "egress.messages",
    "egress.names",
    "egress.placeholder",
    "egress.policy",
    "egress.ports",
    "egress.spellings",
    "egress.wire",
    "credentials.ssh_agent.wire",
    "credentials.ssh_agent.choice",
    "credentials.ssh_agent.verdict",
)
