"""Every file kind: patterns of its names, the languages of editors that stand for it, and the
files to watch.

Made by `./dev docs` from the modules beside it.
"""

from __future__ import annotations

# fmt: off
KINDS: dict[str, tuple[str, ...]] = {
    "agent_definitions": ("agents/*.md", "commands/*.md", "*.agent.md", "*.chatmode.md", "*.prompt.md", "skill.md"),
    "agent_instructions": ("claude.md", "claude.local.md", "gemini.md", "agents.md", "agent.md", ".clinerules", "copilot-instructions.md", ".cursorrules", ".goosehints", "qwen.md", "warp.md", ".windsurfrules", "*.mdc", "*.instructions.md"),
    "apparmor": ("*apparmor*", "apparmor/*", "apparmor.d/*", "*.aa"),
    "claude_settings": (".claude/settings.json", ".claude/settings.local.json"),
    "code_workspace": ("*.code-workspace",),
    "codex_config": (".codex/config.toml",),
    "codex_hooks": (".codex/hooks.json",),
    "codex_rules": ("rules/*.rules",),
    "compose": ("*.yml", "*.yaml"),
    "copilot_hooks": ("hooks/*.json",),
    "cursor_hooks": (".cursor/hooks.json",),
    "cursor_permissions": (".cursor/cli.json",),
    "cursor_worktrees": (".cursor/worktrees.json",),
    "daemon_json": ("daemon.json",),
    "devcontainer": ("devcontainer.json", ".devcontainer.json"),
    "direnv": (".envrc",),
    "docker_sandboxes": ("sbxenv.yaml", ".sbxenv.yaml"),
    "dockerfile": ("*dockerfile*", "*containerfile*"),
    "feature": ("devcontainer-feature.json",),
    "feature_lock": ("devcontainer-lock.json", ".devcontainer-lock.json"),
    "gemini_settings": (".gemini/settings.json",),
    "husky": (".husky/applypatch-msg", ".husky/commit-msg", ".husky/post-checkout", ".husky/post-commit", ".husky/post-merge", ".husky/post-rewrite", ".husky/pre-applypatch", ".husky/pre-auto-gc", ".husky/pre-commit", ".husky/pre-merge-commit", ".husky/pre-push", ".husky/pre-rebase", ".husky/prepare-commit-msg"),
    "kubernetes": ("*.yml", "*.yaml", "*.json", "kustomization"),
    "lefthook": ("lefthook.yml", "lefthook.yaml", "lefthook.toml", "lefthook.json", ".lefthook.yml", ".lefthook.yaml", ".lefthook.toml", ".lefthook.json", "lefthook-local.yml", "lefthook-local.yaml", "lefthook-local.toml", "lefthook-local.json", ".lefthook-local.yml", ".lefthook-local.yaml", ".lefthook-local.toml", ".lefthook-local.json"),
    "lint_staged": (".lintstagedrc", ".lintstagedrc.json", ".lintstagedrc.yaml", ".lintstagedrc.yml"),
    "mcp_servers": (".mcp.json", "mcp.json"),
    "mise": ("mise.toml", ".mise.toml", "mise.local.toml", ".mise.local.toml", "mise/config.toml", ".mise/config.toml", ".config/mise.toml"),
    "opencode_config": ("opencode.json", "opencode.jsonc"),
    "opencode_plugin": ("plugin/*.ts", "plugin/*.js", "plugins/*.ts", "plugins/*.js", "tool/*.ts", "tool/*.js", "tools/*.ts", "tools/*.js"),
    "package_json": ("package.json",),
    "pre_commit": (".pre-commit-config.yaml", ".pre-commit-config.yml"),
    "sandboxd_toml": ("sandboxd.toml",),
    "seccomp": ("*.json",),
    "shell_docker_run": ("*.sh", "*.bash", "*.mk", "makefile", "gnumakefile", "justfile", ".justfile", "*.just"),
    "taskfile": ("*.yml", "*.yaml"),
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
WATCHED: tuple[str, ...] = ("**/.github/agents/*.md", "**/.claude/{agents,commands}/*.md", "**/SKILL.md", "**/AGENTS.md", "**/CLAUDE.md", "**/GEMINI.md", "**/.cursorrules", "**/.claude/settings*.json", "**/*.code-workspace", "**/.codex/config.toml", "**/.codex/hooks.json", "**/.codex/rules/*.rules", "**/*compose*.{yml,yaml}", "**/.env", "**/.github/hooks/*.json", "**/.cursor/hooks.json", "**/.cursor/cli.json", "**/.cursor/worktrees.json", "**/devcontainer.json", "**/.devcontainer.json", "**/.envrc", "**/sbxenv.yaml", "**/.sbxenv.yaml", "**/*Dockerfile*", "**/.gemini/settings.json", "**/.husky/*", "**/{k8s,kubernetes,manifests,deploy,kustomize}/**/*.{yml,yaml}", "**/lefthook.{yml,yaml,toml,json}", "**/.lefthook.{yml,yaml,toml,json}", "**/.lintstagedrc*", "**/.mcp.json", "**/mcp.json", "**/mise.toml", "**/.mise.toml", "**/opencode.json", "**/opencode.jsonc", "**/.opencode/{plugin,plugins,tool,tools}/*.{ts,js}", "**/.pre-commit-config.{yaml,yml}", "**/sandboxd.toml", "**/[Tt]askfile*.{yml,yaml}")
