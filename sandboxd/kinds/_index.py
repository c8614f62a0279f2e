"""Every file kind: patterns of its names, the languages of editors that stand for it, and the
files to watch.

Made by `./dev docs` from the modules beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

# fmt: off
if TYPE_CHECKING:
    from sandboxd.kinds import (
        Kind,
        apparmor,
        compose,
        daemon_json,
        devcontainer,
        dockerfile,
        feature,
        feature_lock,
        sandboxd_toml,
        seccomp,
        shell_docker_run,
        vscode_settings,
        vscode_tasks,
    )

    # The type checker holds every module against the protocol.
    _HELD: tuple[Kind, ...] = (
        apparmor,
        compose,
        daemon_json,
        devcontainer,
        dockerfile,
        feature,
        feature_lock,
        sandboxd_toml,
        seccomp,
        shell_docker_run,
        vscode_settings,
        vscode_tasks,
    )

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
LANGUAGES: dict[str, str] = {
    "apparmor": "apparmor",
    "containerfile": "dockerfile",
    "docker-compose": "compose",
    "dockercompose": "compose",
    "dockerfile": "dockerfile",
    "shellscript": "shell_docker_run",
    "yaml.docker-compose": "compose",
}
WATCHED: tuple[str, ...] = ("**/*compose*.{yml,yaml}", "**/.env", "**/devcontainer.json", "**/.devcontainer.json", "**/*Dockerfile*", "**/sandboxd.toml")
