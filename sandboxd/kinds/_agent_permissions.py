"""Permissions that a repository gives Claude Code beforehand, and what they reach beyond the work.

Source: https://code.claude.com/docs/en/permissions.
"""

from __future__ import annotations

import re

# fmt: off
_RUNS_ANYTHING = frozenset({
    "bash", "sh", "zsh", "dash", "fish", "pwsh", "powershell", "bash -c", "sh -c", "eval", "env", "exec", "xargs",
    "nohup", "timeout", "python", "python3", "python -c", "python3 -c", "node", "node -e", "deno", "bun", "ruby",
    "ruby -e", "perl", "perl -e", "php", "osascript", "sudo", "doas", "su", "ssh", "npx", "bunx", "pnpx", "uvx",
    "pipx", "npm exec", "pnpm dlx", "yarn dlx", "uv run", "docker run", "docker exec", "podman run",
    "kubectl exec", "git config",
})
# fmt: on
"""Commands that run whatever stands behind them, or let a later command do so."""
_OF_SHELL = re.compile(r"Bash\((.+?)(?::\*| \*|\*)\)\Z", re.DOTALL)
_OF_FILES = re.compile(r"(Edit|Write|Read|MultiEdit|NotebookEdit)\((.+)\)\Z", re.DOTALL)
_OUTSIDE = re.compile(r"(?:~|//|\$HOME|\.\./)")
_CREDENTIALS = (
    *(".ssh", ".aws", ".gnupg", ".kube", ".netrc", ".docker", ".config/gh", ".git-credentials"),
)


def allows(permission: str) -> str:
    """The effect of a permission of Claude Code that reaches beyond the work: words that follow its name.

    '' for one that does not.
    """
    command = _OF_SHELL.match(permission)
    if command is not None:
        words = command[1].strip()
        return (
            f"allows any command behind `{words}` without asking" if words in _RUNS_ANYTHING else ""
        )
    of_files = _OF_FILES.match(permission)
    if of_files is None or not _OUTSIDE.match(of_files[2]):
        return ""
    if of_files[1] != "Read":
        return "allows files outside of the project to be changed without asking"
    is_secret = any(f"/{place}" in of_files[2] for place in _CREDENTIALS)
    is_whole = of_files[2].rstrip("/*") in ("~", "//", "/", "$HOME")
    return "allows credentials to be read without asking" if is_secret or is_whole else ""
