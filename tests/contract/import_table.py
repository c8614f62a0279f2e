"""Which room may import which: the plan of the house as data. The test beside it holds it."""

from __future__ import annotations

# A room is a top-level module or folder of sandboxd; a dotted name is a module that differs from
# its room. Each may import itself and what is listed, and uses all of it: a permission that nobody
# uses fails the test, too.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "__init__": frozenset(),
    "__main__": frozenset({"cli", "ipc"}),
    "text": frozenset(),
    "errors": frozenset(),
    "data": frozenset(),
    "markup": frozenset(),
    "toml_output": frozenset({"errors"}),
    "files": frozenset({"errors", "text"}),
    "findings": frozenset({"text"}),
    "syntax": frozenset({"text"}),
    "model": frozenset({"errors", "findings", "syntax", "text"}),
    "kinds": frozenset({"errors", "findings", "model", "syntax", "text"}),
    "effective": frozenset({"errors", "kinds", "model", "syntax", "text"}),
    "host.facts": frozenset(),
    "host.engine_facts": frozenset({"engine.unreachable", "host.facts"}),
    "engine.unreachable": frozenset(),
    "host.machine_facts": frozenset(),
    "host.raw_answers": frozenset({"host.engine_facts", "host.facts", "host.machine_facts"}),
    "host.known_escapes": frozenset(),
    "host.versions": frozenset({"host.facts", "host.known_escapes"}),
    "engine": frozenset({"engine.unreachable", "errors"}),
    "host": frozenset(
        {"engine", "errors", "files", "host.engine_facts", "host.facts", "host.raw_answers"}
    ),
    "platforms": frozenset({"host.facts"}),
    "rules": frozenset(
        {"config", "data", "findings", "host.facts", "host.versions", "model", "syntax", "text"}
    ),
    "config": frozenset({"data", "egress", "files", "findings", "model", "syntax", "text"}),
    "policy": frozenset({"egress", "errors", "files", "toml_output"}),
    "analysis": frozenset(
        {
            "config",
            "effective",
            "errors",
            "findings",
            "host.facts",
            "kinds",
            "model",
            "rules",
            "syntax",
            "text",
        }
    ),
    "checking": frozenset(
        {
            "analysis",
            "config",
            "effective",
            "errors",
            "files",
            "findings",
            "host.facts",
            "kinds",
            "model",
            "plan",
            "policy",
            "rules",
            "text",
        }
    ),
    "plan": frozenset(
        {
            "config",
            "data",
            "effective",
            "egress",
            "errors",
            "files",
            "findings",
            "host.facts",
            "kinds",
            "model",
            "platforms",
            "policy",
            "syntax",
            "text",
        }
    ),
    "render": frozenset({"findings", "markup", "text"}),
    "payload": frozenset({"engine", "errors", "files"}),
    "review": frozenset({"engine", "errors", "host", "payload", "plan", "policy"}),
    "life": frozenset(
        {
            "data",
            "egress",
            "engine",
            "errors",
            "files",
            "host",
            "model",
            "observe",
            "payload",
            "plan",
            "review",
        }
    ),
    "observe": frozenset({"data", "engine", "errors", "files", "model", "payload"}),
    "verify": frozenset(
        {
            "egress",
            "engine",
            "errors",
            "files",
            "host",
            "life",
            "model",
            "observe",
            "payload",
            "plan",
        }
    ),
    "escapes": frozenset(),
    "setup": frozenset({"data", "engine", "errors", "host", "syntax", "text"}),
    "bench": frozenset(
        {"config", "engine", "errors", "host.facts", "life", "payload", "plan", "project"}
    ),
    "bench.workloads": frozenset(),
    "egress": frozenset(),
    "templates": frozenset({"data", "errors", "files"}),
    "project": frozenset(
        {
            "config",
            "egress",
            "errors",
            "files",
            "findings",
            "host.facts",
            "kinds",
            "model",
            "plan",
            "policy",
            "text",
        }
    ),
    "ipc": frozenset({"__init__", "errors"}),
    "status": frozenset(
        {
            "checking",
            "config",
            "egress",
            "engine",
            "errors",
            "findings",
            "host",
            "host.facts",
            "life",
            "model",
            "observe",
            "plan",
            "policy",
            "project",
            "verify",
        }
    ),
    "operations": frozenset(
        {
            "bench",
            "config",
            "egress",
            "engine",
            "errors",
            "files",
            "host",
            "host.facts",
            "ipc",
            "life",
            "model",
            "observe",
            "plan",
            "policy",
            "project",
            "review",
            "syntax",
            "text",
            "verify",
        }
    ),
    "daemon": frozenset(
        {
            "__init__",
            "config",
            "egress",
            "engine",
            "errors",
            "files",
            "host",
            "host.facts",
            "ipc",
            "life",
            "lsp",
            "model",
            "operations",
            "plan",
            "policy",
            "project",
            "status",
            "toml_output",
        }
    ),
    "lsp": frozenset(
        {
            "__init__",
            "analysis",
            "checking",
            "config",
            "data",
            "effective",
            "egress",
            "engine",
            "errors",
            "files",
            "findings",
            "host",
            "host.facts",
            "kinds",
            "markup",
            "model",
            "operations",
            "plan",
            "policy",
            "project",
            "rules",
            "status",
            "syntax",
            "text",
        }
    ),
    "cli": frozenset(
        {
            "__init__",
            "analysis",
            "bench",
            "checking",
            "config",
            "data",
            "egress",
            "engine",
            "errors",
            "files",
            "findings",
            "host",
            "host.facts",
            "ipc",
            "kinds",
            "life",
            "model",
            "observe",
            "operations",
            "plan",
            "platforms",
            "policy",
            "project",
            "render",
            "review",
            "rules",
            "setup",
            "status",
            "syntax",
            "templates",
            "text",
            "toml_output",
            "verify",
        }
    ),
}

# Commands that only start another room's main loop.
LATE_IMPORTS: dict[str, frozenset[str]] = {
    "cli.commands.daemon": frozenset({"daemon"}),
    "cli.commands.lsp": frozenset({"lsp"}),
    "cli.daemon_install": frozenset({"daemon"}),
    "cli.self_tests": frozenset({"lsp"}),
}

# Folders that grow by one file, or folder, a thing. It never imports a sibling, only `_helpers`.
GROWTH = (
    "kinds",
    "rules",
    "platforms",
    "render",
    "render.pages",
    "escapes",
    "bench.workloads",
    "plan.writers",
    "lsp.features",
    "cli.commands",
)

# Pure parts of a room that otherwise may.
PURE = (
    "host.facts",
    "host.engine_facts",
    "host.machine_facts",
    "host.raw_answers",
    "host.known_escapes",
    "host.versions",
    "engine.unreachable",
    "egress.layout",
    "egress.messages",
    "egress.names",
    "egress.policy",
    "egress.wire",
)

# What reads the machine or the clock, and the rooms that may. `os.environ` stands for getenv too.
_EDGES = (
    "host",
    "engine",
    "payload",
    "life",
    "observe",
    "verify",
    "review",
    "egress",
    "ipc",
    "operations",
    "daemon",
    "cli",
    "escapes",
    "setup",
    "bench",
)
MACHINE: dict[str, tuple[str, ...]] = {
    "subprocess": _EDGES,
    "os.environ": _EDGES,
    "platform": _EDGES,
    "time": _EDGES,
    "watchfiles": ("daemon",),
    "tomli_w": ("toml_output",),
    "pickle": (),  # to read one runs what it says
    "docker": ("engine",),  # see docs/decisions/0007
    "requests": ("engine",),
    "urllib3": ("engine",),
}
