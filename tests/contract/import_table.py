"""Which room may import which: the plan of the house as data. The test beside it holds it."""

from __future__ import annotations

# A room is a top-level module or folder of sandboxd; a dotted name is a module that differs from
# its room. Each may import itself and what is listed.
BASE = frozenset({"errors", "text", "__init__"})
MEANING = BASE | {"findings", "syntax", "model"}
DECISIONS = MEANING | {"config", "policy", "plan", "host.facts", "platforms", "data", "files"}
EVERYTHING = DECISIONS | {
    "kinds",
    "effective",
    "rules",
    "analysis",
    "checking",
    "render",
    "render.pages",
    "host",
    "engine",
    "payload",
    "life",
    "observe",
    "verify",
    "review",
    "escapes",
    "project",
    "ipc",
    "markup",
}

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
    "syntax": BASE | {"findings"},
    "model": BASE | {"findings", "syntax"},
    "kinds": MEANING | {"config"},
    "effective": MEANING | {"kinds"},
    "host.facts": frozenset({"host.engine_facts", "host.machine_facts"}),
    "host.engine_facts": frozenset({"host.facts", "engine.unreachable"}),
    "engine.unreachable": frozenset(),
    "host.machine_facts": frozenset(),
    "host.known_escapes": frozenset(),
    "host.versions": frozenset({"host.facts", "host.known_escapes"}),
    "engine": frozenset({"errors", "engine.unreachable"}),
    "host": frozenset(
        {
            "engine",
            "errors",
            "data",
            "files",
            "__init__",
            "host.facts",
            "host.engine_facts",
            "host.machine_facts",
            "host.known_escapes",
            "host.versions",
        }
    ),
    "platforms": BASE | {"host.facts", "model"},
    "rules": MEANING | {"config", "host.facts", "host.versions", "platforms", "data"},
    "config": BASE | {"findings", "syntax", "files", "data"},
    "policy": MEANING | {"config", "host.facts", "data", "files", "toml_output"},
    "analysis": MEANING | {"kinds", "effective", "rules", "host.facts", "config"},
    "checking": MEANING
    | {
        "analysis",
        "kinds",
        "effective",
        "rules",
        "host.facts",
        "config",
        "policy",
        "plan",
        "files",
    },
    "plan": DECISIONS | {"kinds", "effective"},
    "render": BASE | {"findings", "markup"},
    "payload": frozenset({"errors", "files", "engine"}),
    "review": frozenset({"errors", "engine", "host", "payload", "plan", "policy"}),
    "life": frozenset({"errors", "engine", "files", "host", "model", "observe", "plan", "review"}),
    "observe": frozenset({"data", "errors", "files", "engine", "model", "payload"}),
    "verify": frozenset(
        {
            "errors",
            "files",
            "engine",
            "host",
            "model",
            "plan",
            "payload",
            "life",
            "observe",
            "escapes",
        }
    ),
    "escapes": frozenset({"errors", "model"}),
    "setup": BASE | {"syntax", "host", "engine", "files", "data"},
    "bench": EVERYTHING,
    "bench.workloads": frozenset(),
    "templates": BASE | {"files", "data"},
    "project": DECISIONS | {"kinds", "effective", "analysis"},
    "ipc": BASE | {"findings", "host.facts", "files"},
    "status": EVERYTHING,
    "operations": DECISIONS
    | {"engine", "host", "life", "observe", "verify", "review", "bench", "project", "ipc"},
    "daemon": EVERYTHING | {"status", "lsp", "operations", "toml_output"},
    "lsp": EVERYTHING | {"status", "operations"},
    "cli": EVERYTHING | {"status", "setup", "templates", "bench", "operations", "toml_output"},
}

# Commands that only start another room's main loop.
LATE_IMPORTS: dict[str, frozenset[str]] = {
    "cli.commands.daemon": frozenset({"daemon"}),
    "cli.commands.lsp": frozenset({"lsp"}),
    "cli.daemon_install": frozenset({"daemon"}),
    "cli.self_tests": frozenset({"lsp"}),
}

# Folders that grow by one file a thing. A file there never imports a sibling, only `_helpers`.
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
    "host.known_escapes",
    "host.versions",
    "engine.unreachable",
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
