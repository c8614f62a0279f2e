"""Which files of a workspace make a program on the host act, by their names, however they are spelt.

A change of one of these that comes out of a sandbox is a step out of it: what it says is done by git,
an editor, a shell or a CI with the rights of whoever uses the workspace.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

Weight = Literal["never", "control", "runs", ""]

_HOOKS = "git hooks"
_EDITOR = "editor settings and tasks"
_SHELL = "a tool that is hooked into your shell acts on it"
_PACKAGES = "settings of a package manager"
_CI = "CI"
_AGENTS = "orders for AI agents"
_START = "a program runs it when it starts here"
_SANDBOX = "how the sandbox is made"

# At any depth, for tools look for them from where they are started.
_CONTROL: dict[str, tuple[str, ...]] = {
    "git runs the filters that a config ties to it": (".gitattributes",),
    "git settings": (".gitconfig",),
    "git fetches what it names": (".gitmodules",),
    _HOOKS: (
        ".husky", ".huskyrc", ".githooks", ".git-hooks", ".pre-commit-config.yaml", ".overcommit.yml",
        "lefthook.yml", "lefthook.yaml", "lefthook.toml", ".lefthook.yml", ".lefthook.yaml",
        ".lefthook.toml", "lefthook-local.yml", ".lintstagedrc",
    ),
    _SANDBOX: (".devcontainer", ".devcontainer.json", "sandboxd.toml"),
    _EDITOR: (
        ".vscode", ".idea", ".zed", ".fleet", ".helix", ".vim", ".nvim", ".exrc", ".nvimrc", ".lvimrc",
        ".nvim.lua", ".dir-locals.el", ".dir-locals-2.el",
    ),
    _SHELL: (
        ".env", ".envrc", ".mise", ".mise.toml", "mise.toml", ".mise.local.toml", "mise.local.toml",
        ".rtx.toml", ".tool-versions", ".autoenv", ".autoenv.zsh", "rust-toolchain",
        "rust-toolchain.toml",
    ),
    _PACKAGES: (
        ".npmrc", ".yarnrc", ".yarnrc.yml", ".yarn", ".pnpmfile.cjs", "bunfig.toml", ".cargo", ".mvn",
        ".bundle", "nuget.config",
    ),
    _START: (
        ".rprofile", ".renviron", ".gdbinit", ".lldbinit", ".ghci", ".ocamlinit", ".irbrc", ".pryrc",
        ".iex.exs", ".pylintrc", "pylintrc",
    ),
    _CI: (
        ".github", ".gitea", ".forgejo", ".gitlab-ci.yml", ".circleci", ".cirrus.yml", ".buildkite",
        ".drone.yml", ".woodpecker", ".woodpecker.yml", ".woodpecker.yaml", ".travis.yml", ".build.yml",
        ".builds", ".tekton", "jenkinsfile", "azure-pipelines.yml", "bitbucket-pipelines.yml",
        "appveyor.yml", ".appveyor.yml", "cloudbuild.yaml",
    ),
    _AGENTS: (
        ".claude", "claude.md", "claude.local.md", "agents.md", "agent.md", "gemini.md", ".gemini",
        ".codex", ".cursor", ".cursorrules", ".windsurf", ".windsurfrules", ".clinerules", ".roo",
        ".roorules", ".continue", ".kiro", ".junie", ".amazonq", ".opencode", "opencode.json",
        ".goosehints", ".aider.conf.yml",
    ),
    "programs that AI agents start": (".mcp.json",),
}  # fmt: skip
_CONTROL_NAMES = {name: why for why, names in _CONTROL.items() for name in names}
_CONTROL_ENDINGS = (".code-workspace", ".sublime-project", ".iml", ".ipr")
_RUNS = frozenset(
    (
        "makefile", "package.json", "setup.py", "setup.cfg", "pyproject.toml", "conftest.py", "build.rs",
        "cargo.toml", "dockerfile", "build.gradle", "build.gradle.kts", "cmakelists.txt", "justfile",
        "docker-compose.yml", "compose.yml", "compose.yaml", "tox.ini", "noxfile.py", "gemfile",
        "gradlew", "gradle.properties", "gradle-wrapper.properties", "mvnw", "pom.xml", "rakefile",
        "vagrantfile", "configure", "meson.build", "sconstruct", ".bazelrc", "workspace", "build",
        "flake.nix", "shell.nix", "default.nix", "devbox.json", "gulpfile.js", "gruntfile.js",
        "eslint.config.js", "eslint.config.mjs", "eslint.config.cjs", ".eslintrc.js", ".eslintrc.cjs",
        "vite.config.js", "vite.config.ts", "webpack.config.js", "ansible.cfg", ".rubocop.yml",
    )
)  # fmt: skip
_RUNS_ENDINGS = (
    ".gradle",
    ".gradle.kts",
    ".csproj",
    ".vcxproj",
    ".props",
    ".targets",
    ".cmake",
    ".mk",
)

# A version control's own folder, and its short name on Windows.
_OWN_FOLDERS = {
    ".git": "git's own folder",
    "git~1": "git's own folder",
    ".hg": "Mercurial's own folder, whose settings run programs",
    "hg~1": "Mercurial's own folder, whose settings run programs",
    ".jj": "Jujutsu's own folder",
}
# Where these lie side by side, git sees a repository, however the folder is called.
_REPOSITORY = "git takes a folder with it for a repository, and runs what that one's config names"
_OF_A_REPOSITORY = ("config", "config.worktree", "commondir")


def weigh(path: str) -> tuple[Weight, str]:
    """How a change of `path` weighs, and why in words.

    ``never``: in a repository's own folder; ``control``: a tool acts on it by itself; ``runs``: it is
    run when the project is built or tested; '': neither.
    """
    parts = [_plain(part) for part in path.split("/")]
    for part in parts:
        if part in _OWN_FOLDERS:
            return "never", _OWN_FOLDERS[part]
    for part in parts:
        if part in _CONTROL_NAMES:
            return "control", _CONTROL_NAMES[part]
    if parts[-1].endswith(_CONTROL_ENDINGS):
        return "control", _EDITOR
    if parts[-1] == "head":
        return "control", _REPOSITORY
    if parts[-1] in _RUNS or parts[-1].endswith(_RUNS_ENDINGS):
        return "runs", "runs when the project is built or tested"
    return "", ""


def beside_head(path: str) -> str:
    """Why a change of `path` matters in a folder that has a `HEAD`, '' if it does not."""
    name = _plain(path.rpartition("/")[2])
    return _REPOSITORY if name in _OF_A_REPOSITORY else ""


def _plain(part: str) -> str:
    """A name as file systems that fold case, or drop characters, would take it."""
    text = unicodedata.normalize("NFKC", part)
    text = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc"))
    return text.casefold().split(":")[0].rstrip(" .") or part
