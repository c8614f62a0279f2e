"""Finds the user's own ignore file of git, which applies in every repository (gitignore(5)), without running git."""

from __future__ import annotations

import os
from collections.abc import Mapping

from sandboxd.plan.git_identity import Reader
from sandboxd.plan.git_user_configs import user_configs

_KEY = "core.excludesfile"
_LONGEST = 4096


def ignore_file(workspace: str, environ: Mapping[str, str]) -> str:
    """The path of the user's own ignore file, which need not exist; '' if no folder of the user is known.

    The repository's own config does not count: a hostile one could name an empty file.

    :param workspace: an absolute path without links
    """
    home = environ.get("HOME", "")
    reader = Reader(os.path.join(workspace, ".git"), home, (_KEY,), _LONGEST)
    for path in user_configs(environ, workspace):
        reader.read(path, 0)
    if named := reader.values.get(_KEY):
        return reader.expand(named, home)
    folder = environ.get("XDG_CONFIG_HOME") or (home and os.path.join(home, ".config"))
    return folder and os.path.join(folder, "git/ignore")
