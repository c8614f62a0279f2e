"""Every file kind, and what the name of a file looks like that may be of it.

Made by `./dev docs` from the modules beside it.
"""

from __future__ import annotations

# fmt: off
KINDS: dict[str, tuple[str, ...]] = {
    "apparmor": ("*apparmor*", "apparmor/*", "apparmor.d/*", "*.aa"),
    "compose": ("*.yml", "*.yaml"),
    "daemon_json": ("daemon.json",),
    "devcontainer": ("devcontainer.json", ".devcontainer.json"),
    "dockerfile": ("*dockerfile*", "*containerfile*"),
    "feature": ("devcontainer-feature.json",),
    "feature_lock": ("devcontainer-lock.json", ".devcontainer-lock.json"),
    "sandboxd_toml": ("sandboxd.toml",),
    "seccomp": ("*.json",),
    "shell_docker_run": ("*.sh", "*.bash", "*.mk", "makefile", "gnumakefile"),
    "vscode_settings": (".vscode/settings.json",),
    "vscode_tasks": (".vscode/tasks.json",),
}
