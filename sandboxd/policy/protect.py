"""Placeholders for missing files on which tools of the host act, so that programs inside cannot create them."""

from __future__ import annotations

from sandboxd import agent_files

REFUSES_BARE = "commondir"
"""The name of a folder which, at the top of a workspace, keeps git from taking the workspace for a repository."""

STUB_FOLDERS = frozenset(
    {
        ".circleci",
        ".devcontainer",
        ".devcontainer.json",
        ".git/hooks",
        ".github",
        ".vscode",
        REFUSES_BARE,
        *agent_files.STUBS,
    }
)
"""Folders that may be created empty, to be mounted read-only: no tool acts on an empty one, and Git ignores it.

Two have the name of a file, so that no file can be created there. `.devcontainer.json`: dev container tools read it
where `.devcontainer` has no `devcontainer.json`, and take a folder for no config. `commondir`: Git takes no folder that
has it for a bare repository, which it would look for where `.git/HEAD` is gone.

Other files are not among them: an empty `Jenkinsfile` or `.mcp.json` has a meaning, or is an error, and
would be committed with the next `git add .`. Neither is `.git`: a program inside could not make a
repository any more.
"""

_SAME_REPOSITORY = b".\n"


def stub_text(path: str) -> bytes | None:
    """The content of a placeholder file, which means the same as no file; None if there is none for `path`.

    Git reads the config of the repository that `commondir` in its own folder names, which circumvents every read-only
    mount there. A dot names the same repository; an empty file or a folder would be an error to Git. `config.worktree`
    adds settings to those of the config; Git ignores an empty one.
    """
    folder, _, name = path.rpartition("/")
    if not _is_git_folder(folder):
        return None
    if name == "config.worktree":
        return b""
    # The file of a linked work tree always exists.
    linked = folder.startswith(".git/worktrees/")
    return _SAME_REPOSITORY if name == "commondir" and not linked else None


def is_stub_folder(path: str) -> bool:
    """Whether the folder `path` may always be created as an empty placeholder, whatever a repository's config says."""
    folder, _, name = path.rpartition("/")
    return path in STUB_FOLDERS or (name == "hooks" and _is_git_folder(folder))


def _is_git_folder(path: str) -> bool:
    """Whether `path` can be a repository's own folder, or that of a linked work tree or submodule."""
    parts = path.split("/")
    if parts[0] != ".git" or {"", ".", ".."}.intersection(parts):
        return False
    return len(parts) == 1 or (len(parts) > 2 and parts[1] in ("modules", "worktrees"))
