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
    """How serious a weak setting is; the values can be compared.

    HINT is hygiene; WARNING widens the attack surface or disables a control; ERROR gives access to the host or its
    credentials.
    """

    HINT = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        return self.name.lower()


class RuleMeta(NamedTuple):
    """The description of a rule. `id` is in kebab-case, names the weak setting and is never renamed.

    `severity` is the highest of its findings; `why` is one sentence for the `why:` line. A rule is only imported if one
    of its `needs` holds, or it has none: see `rules.able`. If one of the rules in `yields_to` has a finding at the same
    place, its own is left out, as that one says more.
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
    """Edits of one file. `safe`: they cannot stop a container that works today from working.

    `caution` says in a few words what may break if they are not safe.
    """

    title: str
    safe: bool
    path: str
    edits: tuple[Edit, ...]
    caution: str = ""


class Remove(NamedTuple):
    """Remove a `model.Value` from its file."""

    value: Any


class Replace(NamedTuple):
    """Write `new` (in docker's spelling) in place of a `model.Value`."""

    value: Any
    new: str


class Add(NamedTuple):
    """Add `item` (docker's spelling) to a field of `model.Container` that holds a sequence."""

    field: str
    item: str


Change = Remove | Replace | Add


class Remedy(NamedTuple):
    """A change that a rule proposes; `safe` and `caution` are as in `Fix`."""

    title: str
    safe: bool
    changes: tuple[Change, ...]
    caution: str = ""


class Finding(NamedTuple):
    """One weak setting at one place.

    `evidence` is the stable identity of the finding within its rule (the mounted path, the
    capability), independent of wording and of line numbers. `origin` says which file, Feature or
    image label the value came from. `fixes` is filled by `lint` from `remedies`.
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
"""The text that the editor's quick fix inserts where the user is to write a reason; it does not count as a reason."""


def is_reason(text: str) -> bool:
    """Whether `text` is a reason: it is neither empty nor the placeholder."""
    words = " ".join(text.split()).strip(".:!?<>[](){}'\"` ").casefold()
    return bool(words) and words != PLACEHOLDER


OTHERS = "others"
"""The `by` of a finding that does not count because its file is somebody else's."""


class Suppressed(NamedTuple):
    """The reason why a finding does not count, and the place where it was suppressed: a file, ``comment`` or `OTHERS`."""

    reason: str
    by: str


class Skipped(NamedTuple):
    """Something that was not checked, and why. Every output format shows it."""

    path: str
    reason: str
    hint: str = ""
    is_file: bool = False
    """Whether it is the file as such, or the rest of it from some place on, and not a part or a setting of it."""
    is_bug: bool = False
    """Whether sandboxd itself failed."""


class Report(NamedTuple):
    """The result of a check; `files` is the number of files that were checked."""

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    files: int
    sources: Mapping[str, SourceText]
