"""Entries of `permissions.allow` and `allowed-tools` of Claude Code, and folders that it may work in.

Source: https://code.claude.com/docs/en/permissions. `find` is none that runs anything: its `-exec` is asked about
whatever is allowed.
"""

from __future__ import annotations

import re

from sandboxd.model.open_commands import runs_anything

_OF_SHELL = re.compile(r"(?:Bash|PowerShell)\((.+?)(?::\*| \*|\*)\)\Z", re.DOTALL)
_OF_FILES = re.compile(r"(Edit|Write|Read|MultiEdit|NotebookEdit)\((.+)\)\Z", re.DOTALL)
_OUTSIDE = re.compile(r"(?:~|//|\$HOME|\.\./)")
_CREDENTIALS = (
    *(".ssh", ".aws", ".gnupg", ".kube", ".netrc", ".docker", ".config/gh", ".git-credentials"),
)
_WHOLE = ("~", "", "$HOME")
_TEMPORARY = ("/tmp", "/private/tmp", "/var/tmp", "$TMPDIR")  # noqa: S108 -- read, not written


def effect(permission: str) -> str:
    """The effect of a permission that reaches beyond the work: words that follow the agent's name.

    '' for one that does not.
    """
    command = _OF_SHELL.match(permission)
    if command is not None:
        words = command[1].strip()
        return f"allows any command behind `{words}` without asking" if runs_anything(words) else ""
    of_files = _OF_FILES.match(permission)
    if of_files is None or not _OUTSIDE.match(of_files[2]):
        return ""
    if of_files[1] != "Read":
        return "allows files outside of the project to be changed without asking"
    is_secret = any(f"/{place}" in of_files[2] for place in _CREDENTIALS)
    is_whole = of_files[2].rstrip("/*") in _WHOLE
    return "allows credentials to be read without asking" if is_secret or is_whole else ""


def leads_out(folder: str) -> bool:
    """Whether a folder lies elsewhere on this machine: not in the project, beside it, or among temporary files."""
    if folder.startswith(_TEMPORARY):
        return False
    is_above = bool(folder) and set(folder.rstrip("/").split("/")) == {".."}
    return is_above or folder.startswith(("/", "~", "$HOME"))
