"""Takes secrets out of the files of a git directory that go into a copy of the workspace. Pure.

The config is made anew from a list of settings, as that of a git directory inside (`exchange.config`): nothing of it is
a token or a program. Reflogs and `FETCH_HEAD` are copied without the logins in URLs. A reftable has its logs packed, and
is copied as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sandboxd.exchange import config
from sandboxd.syntax import git_config

_LOGIN = re.compile(rb"://[^\s/]*@")
_CONFIGS = frozenset({"config", "config.worktree"})
_EXTENSIONS = ("extensions.refstorage", "extensions.worktreeconfig", "extensions.relativeworktrees")
"""Those that git needs to read the rest of a git directory that is copied as it is."""


def edit_of(path: str) -> Callable[[bytes], bytes] | None:
    """What makes the content for a copy of that of the file `path` of a workspace; None: it is copied as it is."""
    kind = _kind(path)
    if kind == "config":
        return _config
    return _without_logins if kind else None


def _without_logins(data: bytes) -> bytes:
    return _LOGIN.sub(b"://", data)


def _kind(path: str) -> str:
    folders, git, below = path.rpartition(".git/")
    if not git or (folders and not folders.endswith("/")):
        return ""
    parts = below.split("/")
    if parts[-1] in _CONFIGS and (len(parts) == 1 or parts[0] in ("modules", "worktrees")):
        return "config"
    return "log" if "logs" in parts[:-1] or parts[-1] == "FETCH_HEAD" else ""


def _config(data: bytes) -> bytes:
    entries = git_config.parse(data.decode("utf-8", "surrogateescape")).entries
    worktree = next((e.value or "" for e in entries if e.name == "core.worktree"), "")
    text = config.for_inside(entries, worktree)
    extensions = [e for e in entries if e.name in _EXTENSIONS]
    if extensions:
        text = text.replace("repositoryformatversion = 0", "repositoryformatversion = 1", 1)
        lines = (f"\t{e.name.partition('.')[2]} = {e.value or 'true'}\n" for e in extensions)
        text += "[extensions]\n" + "".join(lines)
    return text.encode("utf-8", "surrogateescape")
