"""Copies the refs of a repository that keeps them in a reftable: git on the host lists them, and they become files.

Git runs with no config but the repository's own, hooks and fsmonitor off: listing refs starts no other program.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure
from sandboxd.exchange import copying, ref_names
from sandboxd.plan import quiet_git

if TYPE_CHECKING:
    from sandboxd.exchange.copying import Owner
    from sandboxd.exchange.place import Repository
    from sandboxd.syntax.git_config import Entry

_SECONDS = 60
_FORM = "--format=%(objectname) %(refname)%00%(symref)"
_LINE = re.compile(r"(?P<ref>[0-9a-f]{40,64} refs/[^\0\n ]+)\0(?P<symref>[^\0\n ]*)\Z")


def is_used(entries: Iterable[Entry]) -> bool:
    """Whether a repository with these settings keeps its refs in a reftable."""
    values = [e.value for e in entries if e.name == "extensions.refstorage"]
    return bool(values) and (values[-1] or "").partition(":")[0] == "reftable"


def copy(repository: Repository, target: int, owner: Owner) -> None:
    """Write HEAD and all refs but those that sandboxd made into the open git directory `target`, as files.

    :param owner: the owner of the new files
    :raises EnvironmentFailure: this machine has no git that reads reftables
    :raises OSError: they cannot be written
    """
    head = _git(repository, "rev-parse", "--verify", "--quiet", "HEAD").strip()
    symbolic = _git(repository, "symbolic-ref", "--quiet", "HEAD").strip()
    text = f"ref: {symbolic}\n" if symbolic else f"{head}\n"
    copying.write_file(target, "HEAD", text.encode(), owner)
    packed = []
    for line in _git(repository, "for-each-ref", _FORM, required=True).split("\n"):
        match = _LINE.match(line)
        if match is None or match["ref"].partition(" ")[2].startswith(ref_names.ROOT):
            continue
        name = match["ref"].partition(" ")[2]
        if not ref_names.is_allowed(name):
            continue
        if match["symref"]:
            copying.write_file(target, name, f"ref: {match['symref']}\n".encode(), owner)
        else:
            packed.append(match["ref"])
    body = "".join(f"{line}\n" for line in packed)
    copying.write_file(target, "packed-refs", body.encode("utf-8", "surrogateescape"), owner)


def _git(repository: Repository, *words: str, required: bool = False) -> str:
    git = shutil.which("git", path=os.defpath) or shutil.which("git")
    hint = "install git 2.45 or later on the host"
    if git is None:
        raise EnvironmentFailure("the repository keeps its refs in a reftable: no git here", hint)
    try:
        process = subprocess.run(
            [git, *quiet_git.OPTIONS, "--no-pager", f"--git-dir={repository.own}", *words],
            cwd="/",
            env=quiet_git.environ(os.devnull),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise EnvironmentFailure("git does not list the refs of the repository", hint) from None
    if process.returncode and required:
        why = " ".join(process.stderr.split())[-200:]
        raise EnvironmentFailure(f"git does not list the refs of the repository: {why}", hint)
    return "" if process.returncode else process.stdout
