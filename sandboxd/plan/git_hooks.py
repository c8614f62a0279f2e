"""The hooks of a repository on the host that have Python import modules from the folder in which git runs them.

Nobody inside can write a hook, and such a hook runs what they write all the same: `python -m` looks in the present
folder first, which is the top of the work tree. The hook that pre-commit installs is one.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator

from sandboxd.plan import config_text

FOLDER = ".git/hooks"
WHY = (
    "it has Python import modules from the top of the work tree, so that a program inside can make one that runs here: "
    "`PYTHONSAFEPATH=1` in your environment keeps Python 3.11 and newer from that"
)

_MOST = 100


def that_import(workspace: str) -> Iterator[str]:
    """The paths of such hooks, within a workspace whose `.git` is a folder."""
    try:
        names = sorted(os.listdir(posixpath.join(workspace, FOLDER)))
    except OSError:
        return
    for name in [name for name in names if not name.endswith(".sample")][:_MOST]:
        path = f"{FOLDER}/{name}"
        text = config_text.inside(workspace, path) or ""
        if any(map(_imports, text.splitlines())):
            yield path


def _imports(line: str) -> bool:
    """Whether a line has Python run a module, without an option that keeps it from looking in the present folder."""
    is_python = False
    for word in line.replace('"', " ").replace("'", " ").split():
        if not word.startswith("-"):
            is_python = "python" in word.lower()
            continue
        flags, _, _ = word.removeprefix("-").partition("m")
        if is_python and ("I" in flags or "P" in flags):
            is_python = False
        elif is_python and len(word) > len(flags) + 1 and not flags.startswith("-"):
            return True
    return False
