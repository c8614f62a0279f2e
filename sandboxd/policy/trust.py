"""The user's grants, each for one content of a project's sandboxd.toml or of its build.

A grant is for a digest, so a changed file needs a new one. The grants are saved in the user's config folder, which no
sandbox can read or write.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import NamedTuple

from sandboxd.audit import notes
from sandboxd.errors import UnreadableError, UsageError
from sandboxd.file_lock import LONGEST_SECONDS, locked_beside
from sandboxd.files import decode, leads_below, read_bytes, write_private
from sandboxd.policy.floor import user_folder
from sandboxd.policy.own_files import refuse_foreign, status_of
from sandboxd.toml_output import document

FILE_NAME = "trust.toml"
OLD_NAME = "trust.json"
"""The file of versions before 0.1, which is not read."""

_COMMENT = """\
What this user trusts: one content of one project's sandboxd.toml, or of its build.
`sandboxd trust add` and `sandboxd trust revoke` write this file anew."""

BUILD = "(build)"
"""Used in place of a profile in a grant to build the project's image."""


class Grant(NamedTuple):
    """One grant for a project.

    `digest` is that of the trusted sandboxd.toml and `profile` the profile that it chose; if `profile` is `BUILD`, it
    is the digest of everything that the build reads (`plan.recipe`).
    """

    workspace: str
    digest: str
    profile: str


def digest(config: str) -> str:
    """A digest of the sandboxd.toml at the path `config`; '' if it cannot be read."""
    try:
        return digest_of(read_bytes(config))
    except UnreadableError:
        return ""


def digest_of(content: bytes) -> str:
    """A digest of the bytes of a sandboxd.toml."""
    return hashlib.sha256(content).hexdigest()


def grants(environ: Mapping[str, str]) -> tuple[Grant, ...]:
    """All grants of this user.

    :raises UsageError: the file cannot be read, or is not valid, or others can write it
    """
    path = _path(environ)
    status = status_of(path, "which grants you revoked")
    if status is None:
        return ()
    import tomllib

    refuse_foreign(path, status, 0o022)
    try:
        entries = tomllib.loads(decode(read_bytes(path)))["grants"]
        return tuple(
            Grant(str(e["workspace"]), str(e["sha256"]), str(e["profile"])) for e in entries
        )
    except UnreadableError as error:
        raise UsageError(f"`{path}` {error.message}", error.hint) from None
    except (ValueError, KeyError, TypeError) as error:
        reason = f": {error}" if isinstance(error, tomllib.TOMLDecodeError) else ""
        raise UsageError(
            f"`{path}` is not a list of grants{reason}",
            "correct it; or remove it, then run `sandboxd trust add` again",
        ) from None


def old_file(environ: Mapping[str, str]) -> str:
    """The path of the file with an older version's grants, which are not in force; '' if there is none.

    Also '' once there are grants of this version, as the user then knows.
    """
    old = os.path.join(user_folder(environ), OLD_NAME)
    return old if os.path.lexists(old) and not os.path.lexists(_path(environ)) else ""


def is_granted(environ: Mapping[str, str], workspace: str, content: str, profile: str) -> bool:
    """Whether exactly this sandboxd.toml may choose `profile`, or exactly this image may be built (`BUILD`).

    If the user's config folder is inside the workspace, no grant counts, as programs inside could write it.

    :param content: the digest of what was read; '' if nothing was
    """
    if not content or leads_below(_path(environ), workspace):
        return False
    return Grant(workspace, content, profile) in grants(environ)


def add(environ: Mapping[str, str], grant: Grant) -> None:
    """Save a grant. It replaces an earlier one of the same kind for the same project.

    :raises UsageError: the user's config folder is inside the workspace
    :raises RecordFailure: the grant cannot be recorded, and is not saved
    """
    path = _path(environ)
    if leads_below(path, grant.workspace):
        raise UsageError(
            f"grants would be written to `{path}`, within the workspace itself",
            "set XDG_CONFIG_HOME to a folder outside of it",
        )
    kind = (grant.workspace, grant.profile == BUILD)
    with locked_beside(path, seconds=LONGEST_SECONDS):
        others = [old for old in grants(environ) if (old.workspace, old.profile == BUILD) != kind]
        notes.require(environ, "trust", grant.workspace, what=grant.profile, sha256=grant.digest)
        _write(path, [*others, grant])


def revoke(environ: Mapping[str, str], *workspaces: str) -> list[str]:
    """Remove all grants of `workspaces` at once; return those that had any.

    :raises EnvironmentFailure: they cannot be removed; or they were, but that could not be recorded
    """
    if not any(grant.workspace in workspaces for grant in grants(environ)):
        return []
    with locked_beside(_path(environ), seconds=LONGEST_SECONDS):
        present = grants(environ)
        left = [grant for grant in present if grant.workspace not in workspaces]
        _write(_path(environ), left, takes_back=True)
    gone = sorted({grant.workspace for grant in present} & set(workspaces))
    problems = [notes.note(environ, "trust-revoked", workspace) for workspace in gone]
    if problem := next(filter(None, problems), ""):
        raise notes.unrecorded(problem)
    return gone


def _path(environ: Mapping[str, str]) -> str:
    return os.path.join(user_folder(environ), FILE_NAME)


def _write(path: str, entries: list[Grant], *, takes_back: bool = False) -> None:
    listed = [{"workspace": g.workspace, "sha256": g.digest, "profile": g.profile} for g in entries]
    write_private(path, document({"grants": listed}, _COMMENT), takes_back=takes_back)
