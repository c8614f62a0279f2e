"""Safe values for settings of agents and editors, by kind of file and key.

The first of each is the default, or what the makers recommend.
"""

from __future__ import annotations

_EDITOR = {
    "security.workspace.trust.enabled": ("true",),
    "security.workspace.trust.untrustedFiles": ('"prompt"', '"newWindow"'),
    "task.allowAutomaticTasks": ('"off"',),
    "chat.permissions.default": ('"default"',),
    "chat.agent.sandbox.enabled": ('"on"',),
    "chat.tools.terminal.blockDetectedFileWrites": ('"outsideWorkspace"', '"always"'),
    "chat.tools.global.autoApprove": ("false",),
    "chat.tools.terminal.ignoreDefaultAutoApproveRules": ("false",),
    "http.proxyStrictSSL": ("true",),
}

SAFE_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "claude_settings": {
        "permissions.defaultMode": ('"default"', '"plan"', '"acceptEdits"'),
        "sandbox.enabled": ("true",),
        "sandbox.enableWeakerNestedSandbox": ("false",),
        "sandbox.network.allowAllUnixSockets": ("false",),
        "enableAllProjectMcpServers": ("false",),
    },
    "codex_config": {
        "approval_policy": ('"on-request"', '"untrusted"'),
        "sandbox_mode": ('"workspace-write"', '"read-only"'),
        "sandbox_workspace_write.network_access": ("false",),
    },
    "gemini_settings": {
        "tools.autoAccept": ("false",),
        "security.folderTrust.enabled": ("true",),
    },
    "docker_sandboxes": {
        "sandboxOptions.writableEnvFiles": ("false",),
        "sandboxOptions.skills": ("readonly", "off"),
    },
    "vscode_settings": _EDITOR,
    "code_workspace": {f"settings.{key}": values for key, values in _EDITOR.items()},
    "devcontainer": {
        f"customizations.vscode.settings.{key}": values for key, values in _EDITOR.items()
    },
}
