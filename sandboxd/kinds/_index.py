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
        agent_instructions,
        apparmor,
        claude_settings,
        code_workspace,
        codex_config,
        compose,
        cursor_hooks,
        daemon_json,
        devcontainer,
        direnv,
        dockerfile,
        feature,
        feature_lock,
        gemini_settings,
        husky,
        kubernetes,
        lefthook,
        lint_staged,
        mcp_servers,
        opencode_config,
        pre_commit,
        sandboxd_toml,
        seccomp,
        shell_docker_run,
        vscode_settings,
        vscode_tasks,
    )

    # The type checker holds every module against the protocol.
    _HELD: tuple[Kind, ...] = (
        agent_instructions,
        apparmor,
        claude_settings,
        code_workspace,
        codex_config,
        compose,
        cursor_hooks,
        daemon_json,
        devcontainer,
        direnv,
        dockerfile,
        feature,
        feature_lock,
        gemini_settings,
        husky,
        kubernetes,
        lefthook,
        lint_staged,
        mcp_servers,
        opencode_config,
        pre_commit,
        sandboxd_toml,
        seccomp,
        shell_docker_run,
        vscode_settings,
        vscode_tasks,
    )

KINDS: dict[str, tuple[str, ...]] = {
    "agent_instructions": ("agents.md", "agent.md", "claude.md", "claude.local.md", "gemini.md", "qwen.md", "warp.md", "skill.md", "copilot-instructions.md", ".cursorrules", ".windsurfrules", ".clinerules", ".goosehints", "*.mdc", "*.instructions.md"),
    "apparmor": ("*apparmor*", "apparmor/*", "apparmor.d/*", "*.aa"),
    "claude_settings": (".claude/settings.json", ".claude/settings.local.json"),
    "code_workspace": ("*.code-workspace",),
    "codex_config": (".codex/config.toml",),
    "compose": ("*.yml", "*.yaml"),
    "cursor_hooks": (".cursor/hooks.json",),
    "daemon_json": ("daemon.json",),
    "devcontainer": ("devcontainer.json", ".devcontainer.json"),
    "direnv": (".envrc",),
    "dockerfile": ("*dockerfile*", "*containerfile*"),
    "feature": ("devcontainer-feature.json",),
    "feature_lock": ("devcontainer-lock.json", ".devcontainer-lock.json"),
    "gemini_settings": (".gemini/settings.json",),
    "husky": (".husky/applypatch-msg", ".husky/commit-msg", ".husky/post-checkout", ".husky/post-commit", ".husky/post-merge", ".husky/post-rewrite", ".husky/pre-applypatch", ".husky/pre-auto-gc", ".husky/pre-commit", ".husky/pre-merge-commit", ".husky/pre-push", ".husky/pre-rebase", ".husky/prepare-commit-msg"),
    "kubernetes": ("*.yml", "*.yaml"),
    "lefthook": ("lefthook.yml", "lefthook.yaml", ".lefthook.yml", ".lefthook.yaml", "lefthook-local.yml", "lefthook-local.yaml", ".lefthook-local.yml", ".lefthook-local.yaml"),
    "lint_staged": (".lintstagedrc", ".lintstagedrc.json", ".lintstagedrc.yaml", ".lintstagedrc.yml"),
    "mcp_servers": (".mcp.json", "mcp.json"),
    "opencode_config": ("opencode.json", "opencode.jsonc"),
    "pre_commit": (".pre-commit-config.yaml", ".pre-commit-config.yml"),
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
    "helm": "kubernetes",
    "kubernetes": "kubernetes",
    "shellscript": "shell_docker_run",
    "yaml.docker-compose": "compose",
    "yaml.kubernetes": "kubernetes",
}
WATCHED: tuple[str, ...] = ("**/AGENTS.md", "**/CLAUDE.md", "**/GEMINI.md", "**/.cursorrules", "**/.claude/settings*.json", "**/*.code-workspace", "**/.codex/config.toml", "**/*compose*.{yml,yaml}", "**/.env", "**/.cursor/hooks.json", "**/devcontainer.json", "**/.devcontainer.json", "**/.envrc", "**/*Dockerfile*", "**/.gemini/settings.json", "**/.husky/*", "**/{k8s,kubernetes,manifests,deploy,kustomize}/**/*.{yml,yaml}", "**/lefthook.{yml,yaml}", "**/.lefthook.{yml,yaml}", "**/.lintstagedrc*", "**/.mcp.json", "**/mcp.json", "**/opencode.json", "**/opencode.jsonc", "**/.pre-commit-config.{yaml,yml}", "**/sandboxd.toml")
