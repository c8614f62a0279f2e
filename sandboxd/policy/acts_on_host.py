"""Which files of a workspace make a program on the host act, by their names, however they are spelt.

A change of one of these that comes out of a sandbox is a step out of it: what it says is done by git,
an editor, a shell or a CI with the rights of whoever uses the workspace.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

Weight = Literal["never", "control", "runs", ""]

# At any depth, for tools look for them from where they are started.
_CONTROL_NAMES = {
    ".gitattributes": "git runs the filters that a config ties to it",
    ".gitconfig": "git settings",
    ".gitmodules": "git fetches what it names",
    ".husky": "git hooks",
    ".githooks": "git hooks",
    ".pre-commit-config.yaml": "git hooks",
    "lefthook.yml": "git hooks",
    ".devcontainer": "how the sandbox is made",
    ".devcontainer.json": "how the sandbox is made",
    "sandboxd.toml": "how the sandbox is made",
    ".vscode": "editor settings and tasks",
    ".idea": "editor settings and tasks",
    ".zed": "editor settings and tasks",
    ".vim": "editor settings",
    ".exrc": "editor settings",
    ".nvim.lua": "editor settings",
    ".dir-locals.el": "editor settings",
    ".envrc": "direnv runs it in your shell",
    ".mise.toml": "mise runs it in your shell",
    "mise.toml": "mise runs it in your shell",
    ".tool-versions": "asdf acts on it in your shell",
    ".npmrc": "settings of a package manager",
    ".yarnrc.yml": "settings of a package manager",
    ".github": "CI",
    ".gitlab-ci.yml": "CI",
    ".circleci": "CI",
    "jenkinsfile": "CI",
    "azure-pipelines.yml": "CI",
    ".travis.yml": "CI",
    ".claude": "orders for AI agents",
    "claude.md": "orders for AI agents",
    "agents.md": "orders for AI agents",
    ".cursor": "orders for AI agents",
    ".cursorrules": "orders for AI agents",
    ".mcp.json": "programs that AI agents start",
}
_CONTROL_ENDINGS = {".code-workspace": "editor settings and tasks"}
_RUNS = frozenset(
    (
        "makefile", "package.json", "setup.py", "pyproject.toml", "conftest.py", "build.rs",
        "cargo.toml", "dockerfile", "build.gradle", "build.gradle.kts", "cmakelists.txt", "justfile",
        "docker-compose.yml", "compose.yml", "compose.yaml", "tox.ini", "noxfile.py", "gemfile",
    )
)  # fmt: skip


def weigh(path: str) -> tuple[Weight, str]:
    """How a change of `path` weighs, and why in words.

    ``never``: in a repository's own folder; ``control``: a tool acts on it by itself; ``runs``: it is
    run when the project is built or tested; '': neither.
    """
    parts = [_plain(part) for part in path.split("/")]
    if any(part in (".git", "git~1") for part in parts):
        return "never", "git's own folder"
    for part in parts:
        if part in _CONTROL_NAMES:
            return "control", _CONTROL_NAMES[part]
    for ending, why in _CONTROL_ENDINGS.items():
        if parts[-1].endswith(ending):
            return "control", why
    if parts[-1] in _RUNS:
        return "runs", "runs when the project is built or tested"
    return "", ""


def _plain(part: str) -> str:
    """A name as file systems that fold case, or drop characters, would take it."""
    text = unicodedata.normalize("NFKC", part)
    text = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc"))
    return text.casefold().split(":")[0].rstrip(" .") or part
