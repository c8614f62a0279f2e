"""The record of waiting refs whose commits would make tools on the host act, in a private file that no sandbox sees.

`status`, which starts no git, reads it to show why a ref waits and the command that takes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sandboxd.errors import SandboxdError
from sandboxd.exchange import ref_names
from sandboxd.exchange.difference import Reason
from sandboxd.files import read_bytes, write_private

_LARGEST = 4 << 20


class Waiting(NamedTuple):
    """Commits of the sandbox that were not put into the host's own branches, and why.

    `name` is the ref in the sandbox; `ref` the ref on the host that holds them, '' where they could not be fetched.
    `paths` are the changed files that are the reason, () for reasons without files.
    """

    name: str
    ref: str
    oid: str
    reason: Reason
    paths: tuple[str, ...] = ()


class Acting(NamedTuple):
    """The commit that waits at a ref, and the reason why it is taken only when the user says so."""

    oid: str
    reason: Reason


def read(path: str) -> dict[str, Acting]:
    """What the last exchange recorded, by the name of the ref on the host; {} where there is no record."""
    try:
        text = read_bytes(path, _LARGEST).decode("utf-8", "surrogateescape")
    except (SandboxdError, OSError):
        return {}
    lines = (line.split(" ", 2) for line in text.split("\n"))
    return {
        words[2]: Acting(words[0], Reason[words[1]])
        for words in lines
        if len(words) == 3 and ref_names.is_oid(words[0]) and words[1] in Reason.__members__
    }


def of_waiting(waiting: Iterable[Waiting]) -> dict[str, Acting]:
    """The entries of `waiting` whose commits tools on the host would act on, by the name of their ref on the host.

    Those are the ones with the reason `NESTED` or `CONTROL`; one that has no ref on the host is left out.
    """
    return {
        one.ref: Acting(one.oid, one.reason)
        for one in waiting
        if one.ref and one.reason in (Reason.NESTED, Reason.CONTROL)
    }


def write(path: str, now: Mapping[str, Acting], waiting: Mapping[str, str]) -> None:
    """Record the entries `now`, and keep earlier ones whose ref still waits with the same commit.

    :param waiting: the commit of each ref that waits, by the name of the ref on the host
    :raises EnvironmentFailure: it cannot be written
    """
    before = read(path)
    still = {name: acting for name, acting in before.items() if waiting.get(name) == acting.oid}
    refs = still | dict(now)
    if refs != before:
        lines = (f"{one.oid} {one.reason.name} {name}\n" for name, one in sorted(refs.items()))
        write_private(path, "".join(lines).encode("utf-8", "surrogateescape"), synced=False)
