"""Which room may import which: the plan of the house as data. The test beside it holds it."""

from __future__ import annotations


def _rooms(names: str) -> frozenset[str]:
    return frozenset(names.split())


# A room is a top-level module or folder; a dotted name is a module that differs from its room. Each may
# import itself and what is listed, and uses all of it: a permission that nobody uses fails the test.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "__init__": frozenset(),
    "__main__": frozenset({"cli", "ipc"}),
    "text": frozenset(),
    "errors": frozenset(),
    "data": frozenset(),
    "deadline": frozenset(),
    "folders": frozenset(),
    "login": frozenset(),
    "agent_files": frozenset(),
    "credential_places": frozenset({"agent_files"}),
    "secret_forms": frozenset(),
    "markup": frozenset({"screen"}),
    "screen": frozenset(),
    "terminal": frozenset({"errors", "screen"}),
    "toml_output": frozenset({"errors"}),
    "files": frozenset({"errors", "text"}),
    "findings": frozenset({"text"}),
    "syntax": frozenset({"text"}),
    "model": frozenset({"errors", "findings", "syntax", "text"}),
    "formats": frozenset({"agent_files", "errors", "findings", "model", "syntax", "text"}),
    "host.facts": frozenset({"engine.unreachable"}),
    "host.advisories": frozenset({"host.facts"}),
    "host.platforms": frozenset({"host.facts"}),
    "engine.unreachable": frozenset(),
    "engine": _rooms(
        "deadline engine.unreachable errors files folders inside model signal_script tls"
    ),
    "host": frozenset({"engine", "errors", "files", "folders", "host.facts", "model"}),
    "state": _rooms("egress engine errors files folders"),
    "rules": _rooms(
        "agent_files config credential_places data findings host.advisories host.facts model "
        "secret_forms syntax text"
    ),
    "agents": frozenset(
        {"config", "egress", "errors", "files", "folders", "model", "policy", "toml_output"}
    ),
    "credentials": frozenset(
        {
            "audit",
            "egress",
            "errors",
            "file_lock",
            "files",
            "policy",
            "toml_output",
        }
    ),
    "config": frozenset(
        {"credentials", "data", "egress", "files", "findings", "model", "syntax", "text"}
    ),
    "policy": _rooms(
        "agent_files audit egress errors file_lock files folders model policy.gateway_rights toml_output"
    ),
    # What a sandbox may have: whoever gives it anything takes this, and only these rooms make or give it.
    "policy.gateway_rights": frozenset({"egress"}),
    "lint": _rooms(
        "config errors files findings formats host.facts model plan policy rules syntax text"
    ),
    "plan": _rooms(
        "config credentials data egress errors files findings "
        "formats host.facts host.platforms model "
        "policy syntax text toml_output"
    ),
    "render": _rooms(
        "errors findings host host.advisories host.facts host.platforms markup plan screen terminal text"
    ),
    # Programs of ours that run in a sandbox, on any Python: the standard library and each other.
    "inside": frozenset(),
    "forward": frozenset({"engine", "errors", "files", "folders", "inside"}),
    "exchange": frozenset(
        {
            "engine",
            "errors",
            "file_lock",
            "files",
            "folders",
            "model",
            "observe",
            "plan",
            "policy",
            "screen",
            "syntax",
        }
    ),
    "review": _rooms(
        "credential_places deadline engine errors files folders inside lint model observe plan policy "
        "secret_forms"
    ),
    "sync": _rooms(
        "engine errors exchange file_lock files folders inside lint model plan policy review screen"
    ),
    "life": frozenset(
        {
            "agents",
            "credentials",
            "data",
            "deadline",
            "egress",
            "engine",
            "errors",
            "exchange",
            "file_lock",
            "files",
            "folders",
            "forward",
            "halt",
            "host",
            "model",
            "observe",
            "plan",
            "policy.gateway_rights",
            "review",
            "screen",
            "state",
            "sync",
        }
    ),
    "backends": _rooms(
        "agents egress engine errors file_lock files folders forward host life login model observe plan "
        "policy review screen signal_script state tls verify"
    ),
    "observe": _rooms("data egress engine errors files host host.facts model plan screen syntax"),
    "halt": _rooms("audit engine errors file_lock files folders model observe plan screen"),
    "verify": frozenset(
        {
            "egress",
            "engine",
            "errors",
            "files",
            "folders",
            "host",
            "model",
            "observe",
            "plan",
        }
    ),
    "file_lock": frozenset({"errors"}),
    "signal_script": frozenset(),
    "tls": frozenset(),
    "audit": frozenset({"errors", "file_lock", "files", "folders", "login"}),
    "setup": frozenset({"data", "deadline", "engine", "errors", "host", "syntax", "text"}),
    "bench": _rooms(
        "config engine errors files host.facts inside life plan policy project screen toml_output"
    ),
    "egress": frozenset(),
    "templates": frozenset({"data", "errors", "files"}),
    "project": _rooms(
        "agents config credentials egress errors exchange files findings folders "
        "formats host.facts model plan policy state text"
    ),
    "ipc": frozenset({"__init__", "errors"}),
    "status": _rooms(
        "credentials egress engine errors exchange findings folders halt host host.facts life lint model "
        "observe plan policy project screen state sync verify"
    ),
    "operations": frozenset(
        {
            "agents",
            "audit",
            "backends",
            "bench",
            "config",
            "credentials",
            "egress",
            "engine",
            "errors",
            "exchange",
            "files",
            "folders",
            "formats",
            "forward",
            "host",
            "host.facts",
            "ipc",
            "life",
            "lint",
            "login",
            "model",
            "observe",
            "plan",
            "policy",
            "project",
            "review",
            "screen",
            "state",
            "sync",
            "syntax",
            "text",
            "verify",
        }
    ),
    "daemon": frozenset(
        {
            "__init__",
            "backends",
            "credentials",
            "deadline",
            "egress",
            "engine",
            "errors",
            "exchange",
            "files",
            "folders",
            "forward",
            "halt",
            "host",
            "host.facts",
            "inside",
            "ipc",
            "life",
            "lsp",
            "model",
            "operations",
            "plan",
            "policy",
            "project",
            "state",
            "status",
            "sync",
            "toml_output",
        }
    ),
    "lsp": frozenset(
        {
            "__init__",
            "config",
            "data",
            "egress",
            "engine",
            "errors",
            "files",
            "findings",
            "formats",
            "host",
            "host.facts",
            "lint",
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
            "agents",
            "audit",
            "backends",
            "bench",
            "config",
            "credentials",
            "data",
            "egress",
            "engine",
            "errors",
            "files",
            "findings",
            "folders",
            "formats",
            "forward",
            "host",
            "host.facts",
            "ipc",
            "life",
            "lint",
            "login",
            "model",
            "observe",
            "operations",
            "plan",
            "policy",
            "project",
            "render",
            "review",
            "rules",
            "screen",
            "setup",
            "state",
            "status",
            "sync",
            "syntax",
            "templates",
            "terminal",
            "text",
            "toml_output",
            "verify",
        }
    ),
}
