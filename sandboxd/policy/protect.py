"""The control files of a workspace: what stands in for one that is missing."""

from __future__ import annotations

STUB_FOLDERS = frozenset(
    {
        ".circleci",
        ".claude",
        ".cursor",
        ".devcontainer",
        ".git/hooks",
        ".github",
        ".vscode",
    }
)
"""Control folders that may be made empty, to be pinned: no tool acts on them and Git ignores them.

Files are not among them: an empty `Jenkinsfile` or `.mcp.json` has a meaning, or is an error, and
would be committed with the next `git add .`. Neither is `.git`: a program inside could not make a
repository any more.
"""
