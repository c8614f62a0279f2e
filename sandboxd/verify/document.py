"""A verdict as data: what `verify --json` prints, `--report` writes and `--diff` reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.errors import UnreadableError, UsageError
from sandboxd.files import read_source
from sandboxd.verify.judge import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.observe.control import Control
    from sandboxd.verify.verdict import Verdict

VERSION = 1


class Change(NamedTuple):
    """An attempt with another outcome; '' means that it was not made."""

    id: str
    before: str
    after: str

    @property
    def worse(self) -> bool:
        return self.after == "escaped"


def document(
    verdict: Verdict, controls: Iterable[Control], when: str, seconds: float, kernel: str
) -> dict[str, Any]:
    """The document; its field names are a public interface.

    :param when: the time of the verdict, in ISO 8601
    :param seconds: how long the attempts took
    :param kernel: the version of the host's kernel
    """
    return {
        "version": VERSION,
        "taken": when,
        "seconds": round(seconds, 1),
        "container": verdict.container,
        "cluster": verdict.place._asdict() if verdict.place is not None else None,
        "runtime": verdict.runtime,
        "kernel": verdict.kernel,
        "host_kernel": kernel,
        "profile": verdict.profile,
        "made_as": verdict.made_as or None,
        "attacked": verdict.attacked,
        "held": verdict.held,
        "counts": {outcome: len(verdict.of(outcome)) for outcome in OUTCOMES},
        "attempts": [result._asdict() for result in verdict.results],
        "controls": [control._asdict() for control in controls],
    }


def load(path: str) -> dict[str, Any]:
    """Read a document from a file.

    :raises UsageError: it is not such a document, or cannot be read
    """
    wrong = UsageError(
        f"`{path}` is not a report of `sandboxd verify`",
        "write one: `sandboxd verify --report FILE.json`",
    )
    try:
        report = json.loads(_text(path))
        if report["version"] != VERSION:
            raise wrong
        outcomes(report)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise wrong from None
    return dict(report)


def _text(path: str) -> str:
    try:
        return read_source(path).text
    except UnreadableError as error:
        raise UsageError(f"`{path}` {error.message}", error.hint) from None


def outcomes(report: Mapping[str, Any]) -> dict[str, str]:
    """The outcome of each attempt in a document."""
    return {str(entry["id"]): str(entry["outcome"]) for entry in report["attempts"]}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The differences between two documents, changes for the worse first."""
    old, new = outcomes(before), outcomes(after)
    names = dict.fromkeys([*old, *new])
    changed = [
        Change(name, old.get(name, ""), new.get(name, ""))
        for name in names
        if old.get(name) != new.get(name)
    ]
    return tuple(sorted(changed, key=lambda change: (not change.worse, change.id)))
