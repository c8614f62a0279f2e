"""Whether a rule's `needs` hide a finding: what all rules say, against what the rules say that `needs` choose."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

from sandboxd import rules
from sandboxd.findings import Finding, Report
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import UNKNOWN, HostFacts
from sandboxd.lint.analysis import Fixes, check_source
from sandboxd.rules._index import RULES
from sandboxd.text import SourceText

_NO_VARIABLES = Variables()


def hidden(
    source: SourceText, host: HostFacts = UNKNOWN, variables: Variables = _NO_VARIABLES
) -> list[str]:
    """Rule and message of each finding that only a rule of which no need holds has; also of one that fails then."""

    def check() -> Report:
        return check_source(source, host=host, variables=variables, fixes=Fixes.NONE)

    chosen = check()
    with mock.patch.object(rules, "able", _every):
        every = check()
    known = {*map(_shown, chosen.findings), *chosen.skipped}
    texts = [f"{each.rule}: {each.message}" for each in every.findings if _shown(each) not in known]
    return texts + [each.reason for each in every.skipped if each not in known]


def _shown(finding: Finding) -> object:
    """What is compared of a finding: its remedies hold nodes, which are others in each reading."""
    return finding.rule, finding.place, finding.severity, finding.message


def _every(subject: str, value: object) -> Iterator[str]:
    """In place of `rules.able`: all rules for `subject`, but those for documents of other formats only."""
    kind = getattr(value, "kind", None) if subject == "Document" else None
    for rule, (subjects, needs, _) in RULES.items():
        formats = {getattr(need, "kind", kind) for need in needs} or {kind}
        if subject in subjects.split(" | ") and kind in formats:
            yield rule
