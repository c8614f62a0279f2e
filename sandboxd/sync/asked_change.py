"""A step as the change that the program inside is asked for."""

from __future__ import annotations

import hashlib
import os

from sandboxd.sync import wire
from sandboxd.sync.state import Kind
from sandboxd.sync.steps import Act, Step

_ACTS = {Act.REMOVE: wire.REMOVE, Act.MODE: wire.SET_MODE, Act.ASIDE: wire.RENAME}
_MAKES = {Kind.FILE: wire.WRITE, Kind.FOLDER: wire.MAKE_FOLDER, Kind.LINK: wire.MAKE_LINK}


def change_of(step: Step) -> wire.Change:
    """The change that does `step`."""
    before, after = step.before, step.after
    act = _ACTS.get(step.act)
    if act is None:
        assert after is not None
        act = _MAKES[after.kind]
    change = wire.Change(act, os.fsencode(step.path))
    if before is not None:
        status = (before.mode, before.size, before.ctime, before.mtime, before.inode, 0)
        change = change._replace(
            before=status, before_digest=_digest(before.content.kind, before.content.text)
        )
    if step.act is Act.ASIDE:
        return change._replace(text=os.fsencode(step.name))
    if after is not None and step.act is not Act.REMOVE:
        change = change._replace(executable=after.executable)
        if after.kind is Kind.LINK:
            return change._replace(text=os.fsencode(after.text))
        return change._replace(digest=_digest(after.kind, after.text))
    return change


def _digest(kind: Kind, text: str) -> bytes:
    """The SHA-256 of a file, or of a link's target; zeros for a folder."""
    if kind is Kind.FILE:
        return bytes.fromhex(text)
    return hashlib.sha256(os.fsencode(text)).digest() if kind is Kind.LINK else bytes(32)
