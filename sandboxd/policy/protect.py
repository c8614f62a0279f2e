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

Such files are not among them: an empty `Jenkinsfile` or `.mcp.json` has a meaning, or is an error, and
would be committed with the next `git add .`. Neither is `.git`: a program inside could not make a
repository any more.
"""

STUB_FILES = {".git/commondir": b".\n"}
"""Control files that may be made, with what is in them: it says what holds without the file.

Git reads the config of the repository that `.git/commondir` names, past every pin in `.git`. A dot
names the same repository; an empty file or a folder is an error to Git.
"""

STUBS = STUB_FOLDERS.union(STUB_FILES)
