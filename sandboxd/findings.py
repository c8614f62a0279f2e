"""The results of checking: frozen data that knows no protocol and no file format.

A rule states *what* should change on the container (:class:`Remedy`); the file kind that the
values came from turns that into text edits (:class:`Fix`). So a rule is written once and its
fix works wherever the setting was written.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.text import Edit, SourceText, Span

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    class Need(Protocol):
        """A condition that must hold of a subject for a rule to have something to say about it."""

        def holds(self, subject: Any, /) -> bool: ...


class Severity(enum.IntEnum):
    """The reach of a weak setting; ordered, so that thresholds compare.

    HINT is hygiene, WARNING widens the attack surface or voids a control, ERROR reaches the host or its
    credentials.
    """

    HINT = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        return self.name.lower()


class RuleMeta(NamedTuple):
    """Identity of a rule. `id` is kebab-case, names the weak setting and is never renamed.

    `severity` is the highest that the rule gives; `why` is one sentence for the `why:` line. A rule
    is only imported where one of its `needs` holds, or where it has none: see `rules.able`. Where one of
    the rules that it `yields_to` has a finding at the same place, its own is left out: that one says more.
    """

    id: str
    summary: str
    severity: Severity
    since: str
    why: str = ""
    needs: tuple[Need, ...] = ()
    yields_to: tuple[str, ...] = ()


class Place(NamedTuple):
    """A range of one file, which the user can open and change."""

    path: str
    span: Span


class Related(NamedTuple):
    """Another place that explains a finding."""

    place: Place
    message: str


class Fix(NamedTuple):
    """Edits on one file. `safe` = cannot stop a container that works today from working.

    `caution` says what may break, in a few words, when it is not safe.
    """

    title: str
    safe: bool
    path: str
    edits: tuple[Edit, ...]
    caution: str = ""


class Remove(NamedTuple):
    """Take a `model.Value` out of the file that it came from."""

    value: Any


class Replace(NamedTuple):
    """Write `new` (in docker's own spelling) where a `model.Value` stands."""

    value: Any
    new: str


class Add(NamedTuple):
    """Add `item` (docker's spelling) to a field of `model.Container` that holds a sequence."""

    field: str
    item: str


Change = Remove | Replace | Add


class Remedy(NamedTuple):
    """A change that a rule proposes; see :class:`Fix` for `safe` and `caution`."""

    title: str
    safe: bool
    changes: tuple[Change, ...]
    caution: str = ""


class Finding(NamedTuple):
    """One weak setting at one place.

    `evidence` is the stable identity of the finding within its rule (the mounted path, the
    capability), independent of wording and of line numbers. `origin` says which file, Feature or
    image label the value came from. `fixes` is filled by `analysis` from `remedies`.
    """

    rule: str
    severity: Severity
    message: str
    place: Place
    evidence: str
    origin: str = ""
    related: tuple[Related, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    fixes: tuple[Fix, ...] = ()
    suppressed: Suppressed | None = None
    why: str = ""


PLACEHOLDER = "say why"
"""Stands in the editor's quick fix where the user writes the reason; it is none itself."""


def is_reason(text: str) -> bool:
    """Whether `text` says why: it is neither empty nor the unfilled placeholder."""
    words = " ".join(text.split()).strip(".:!?<>[](){}'\"` ").casefold()
    return bool(words) and words != PLACEHOLDER


class Suppressed(NamedTuple):
    """The reason why a finding is not counted, and the place where that was said."""

    reason: str
    by: str


class Skipped(NamedTuple):
    """Something that was not checked, and why. Never dropped: every output shows it."""

    path: str
    reason: str
    hint: str = ""


class Report(NamedTuple):
    """The result of a check: `files` counts the files that were read and judged."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    files: int
    sources: Mapping[str, SourceText]
