"""Runs rules over documents and returns a report. Pure: facts about the host and the disk are parameters."""

from __future__ import annotations

import enum
from itertools import islice
from typing import TYPE_CHECKING

from sandboxd import formats, rules
from sandboxd.errors import too_large
from sandboxd.findings import Finding, Fix, Report, Severity, Skipped
from sandboxd.formats.resolved.container import containers
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import UNKNOWN, HostFacts
from sandboxd.lint import other_files, suppressions
from sandboxd.lint.settings import NO_SETTINGS, RuleSettings
from sandboxd.syntax.node import NotInTreeError, collector_paused
from sandboxd.text import Edit, SourceText, apply_edits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sandboxd.findings import Place
    from sandboxd.model.container import Container
    from sandboxd.model.document import Document

__all__ = ["Fixes", "RuleSettings", "check", "check_source"]


class Fixes(enum.IntEnum):
    """How far fixes are worked out; each step takes many times as long as the one before."""

    NONE = 0
    """Findings have the `remedies` that their rules propose, but no fixes."""
    NAMES = 1
    """Fixes show what can be repaired, but may have no edits."""
    EDITS = 2
    """Fixes have edits, which were not tried."""
    VERIFIED = 3
    """Fixes have edits, and the file was checked again with each; one that makes it worse was dropped."""


# Bounds against hostile files: finding and verifying one fix takes time proportional to the size of
# the file, so all fixes take quadratic time. Real files have 1 KiB and a handful of fixes.
MOST_FIXES = 200
FIXED_CHARACTERS = 8_000_000
VERIFIED_CHARACTERS = 2_000_000

# More findings of one rule in one file help nobody, and each costs time and memory.
MOST_OF_A_RULE = 200
MOST_SUBJECTS = 500
MOST_UNSEEN = 100

_REPORT = "please report this as a bug"

_NOT_KNOWN = Variables()


def check_source(
    source: SourceText,
    *,
    host: HostFacts = UNKNOWN,
    variables: Variables = _NOT_KNOWN,
    settings: RuleSettings = NO_SETTINGS,
    only: Iterable[str] | None = None,
    kind: str = "",
    parsed: Document | None = None,
    fixes: Fixes = Fixes.VERIFIED,
    threshold: Severity = Severity.HINT,
) -> Report:
    """Check one text. A failure of sandboxd on it is reported as a skipped file.

    :param kind: the kind of file; '' to find it by path and content
    :param parsed: `source` as its kind parses it, if that was done before

    For the other parameters see :func:`check`.
    """
    file_kind = formats.get(kind) if kind else formats.find(source.path, source.text)
    if file_kind is None:
        reason = "is no kind of file that sandboxd checks"
        return Report((), (Skipped(source.path, reason, is_file=True),), 0, {source.path: source})
    limit = file_kind.LARGEST
    if len(source.text) > limit:
        skipped = Skipped(source.path, *too_large(limit), is_file=True)
        return Report((), (skipped,), 0, {source.path: source})
    try:
        return check(
            (parsed or formats.parsed(file_kind.NAME, source, variables.files),),
            host=host,
            variables=variables,
            settings=settings,
            only=only,
            fixes=fixes,
            threshold=threshold,
        )
    except Exception as error:
        # A failure on this text must not hide the findings of the other files.
        reason = f"sandboxd failed on this file: {type(error).__name__}: {error}"
        skipped = Skipped(source.path, reason, _REPORT, is_file=True, is_bug=True)
        return Report((), (skipped,), 0, {source.path: source})


def check(
    documents: Sequence[Document],
    *,
    host: HostFacts = UNKNOWN,
    variables: Variables = _NOT_KNOWN,
    settings: RuleSettings = NO_SETTINGS,
    only: Iterable[str] | None = None,
    fixes: Fixes = Fixes.VERIFIED,
    threshold: Severity = Severity.HINT,
) -> Report:
    """Run rules over `documents`, and report their findings.

    :param settings: the project's severities and accepted findings
    :param only: ids of the rules to run; None for all
    :param fixes: how far fixes are worked out; whoever applies them needs `VERIFIED`
    :param threshold: rules that never reach it may be skipped, so findings below it are incomplete
    """
    chosen = None if only is None else frozenset(only)
    run = RuleRun(chosen, host, variables, settings, threshold, fixes)
    findings: list[Finding] = []
    for document in documents:
        with collector_paused(len(document.source.text)):
            results = run.judge(document)
            if fixes is Fixes.VERIFIED:
                results = run.drop_harmful_fixes(document, results)
            findings.extend(results)
    sources = {document.source.path: document.source for document in documents}
    for document in documents:
        other_files.add_sources(sources, findings, document, variables)
    findings.sort(key=lambda finding: (finding.place.path, finding.place.span, finding.rule))
    skipped = tuple(dict.fromkeys(run.skipped))
    return Report(tuple(other_files.unique(findings)), skipped, len(documents), sources)


class RuleRun:
    """One run of all rules, or of those `chosen`, and what could not be checked."""

    def __init__(
        self,
        chosen: frozenset[str] | None,
        host: HostFacts,
        variables: Variables,
        settings: RuleSettings,
        threshold: Severity = Severity.HINT,
        wanted: Fixes = Fixes.NONE,
    ) -> None:
        self.wanted = wanted
        self.host = host
        self.variables = variables
        self.settings = settings
        self.threshold = threshold
        self.skipped: list[Skipped] = []
        self.chosen = chosen
        self.broken: set[str] = set()
        self.counts_by_rule: dict[str, int] = {}  # findings of each rule in the file at hand
        self.cut: set[str] = set()  # rules that have more of them than are given
        self.is_marked = False  # whether a comment of the file may speak of a rule
        self.budget = VERIFIED_CHARACTERS

    def drop_harmful_fixes(self, document: Document, findings: list[Finding]) -> list[Finding]:
        """The findings of a file without the fixes that would make it worse.

        A fix of a huge file that there is no time to verify is left out as well.
        """
        before = _counts(findings)
        self.budget = VERIFIED_CHARACTERS
        return [
            finding._replace(
                fixes=tuple(
                    fix for fix in finding.fixes if self.holds(document, finding, fix, before)
                )
            )
            if finding.fixes
            else finding
            for finding in findings
        ]

    def judge(self, document: Document) -> list[Finding]:
        """The findings of a file, suppressed ones marked, and those about its suppression comments."""
        findings: list[Finding] = []
        self.counts_by_rule, self.cut = {}, set()
        self.is_marked = suppressions.MARK in document.source.text
        fixable = min(MOST_FIXES, FIXED_CHARACTERS // max(len(document.source.text), 1))
        # Behind an error a setting may belong to something else than it seems to, and be set anew in what is not read.
        is_broken = bool(document.tree.errors or document.tree.unread)
        self.skipped.extend(_unread(document))
        for subject, value in self.subjects(document):
            for finding in self.run(subject, value, document):
                if is_broken:
                    finding = finding._replace(remedies=())
                if self.wanted and finding.remedies and fixable > 0:
                    fixable -= 1
                    finding = finding._replace(fixes=self.fixes(document, value, finding))
                findings.append(finding)
        findings = [self.settings.weigh(finding) for finding in _without_covered(findings)]
        findings, others = other_files.split(findings, document)
        if others:
            others = other_files.mark_allowed(
                others, document, self.variables, rules.ids(), self.settings
            )
        written = suppressions.read(document, rules.ids())
        if len(written) > suppressions.MOST:
            written = written[: suppressions.MOST]
            reason = f"has more than {suppressions.MOST} allowances: the rest allow nothing"
            self.skipped.append(Skipped(document.source.path, reason))
        if not written:
            return findings + others
        findings, written = suppressions.apply(findings, written, document.source, self.settings)
        findings += others
        for suppression in written:
            if not suppression.known or self.runs(suppression.rule):
                comments = self.run("Suppression", suppression, document)
                findings.extend(self.settings.weigh(finding) for finding in comments)
        return findings

    def subjects(self, document: Document) -> Iterator[tuple[str, object]]:
        """Yield the file and the things that it describes, each with the name of its type."""
        yield "Document", document
        path = document.source.path
        found_containers = containers(document, self.variables)
        unseen = [unseen for container in found_containers for unseen in container.unseen]
        self.skipped.extend(Skipped(path, each.reason, each.hint) for each in unseen[:MOST_UNSEEN])
        if len(unseen) > MOST_UNSEEN:
            reason = f"has {len(unseen) - MOST_UNSEEN} more parts that could not be judged"
            self.skipped.append(Skipped(path, reason))
        remaining = MOST_SUBJECTS
        for subject in self.subjects_of(document, found_containers):
            remaining -= 1
            if remaining < 0:
                reason = f"describes more than {MOST_SUBJECTS} things: the rest is not judged"
                self.skipped.append(Skipped(path, reason, "split the file"))
                return
            yield subject

    def subjects_of(
        self, document: Document, found_containers: tuple[Container, ...]
    ) -> Iterator[tuple[str, object]]:
        for container in found_containers:
            yield "Container", container
        yield from formats.get(document.kind).subjects(document)

    def holds(
        self, document: Document, finding: Finding, fix: Fix, before: Mapping[object, int]
    ) -> bool:
        """Return True if the file with `fix` has no new finding as bad as the one that is fixed."""
        source = document.source
        if self.budget <= 0:
            return False
        self.budget -= len(source.text)
        fixed = formats.get(document.kind).parse(
            SourceText(source.path, apply_edits(source.text, fix.edits))
        )
        if len(fixed.tree.problems) > len(document.tree.problems):
            return False
        run = RuleRun(self.chosen, self.host, self.variables, self.settings)
        after = run.judge(fixed)
        counts = _counts(after)
        return all(
            new.severity < finding.severity
            or new.rule in self.cut
            or counts[_identity(new)] <= before.get(_identity(new), 0)
            for new in after
        )

    def run(self, subject: str, value: object, document: Document) -> Iterator[Finding]:
        """The findings of the rules for `subject`; a rule that fails is named once and left out."""
        host = UNKNOWN if getattr(value, "on_cluster", False) else self.host
        for rule in rules.able(subject, value):
            if rule in self.cut or not self.runs(rule) or not self.counts(rule):
                continue
            module = rules.get(rule)
            remaining = MOST_OF_A_RULE - self.counts_by_rule.get(rule, 0)
            outcomes: list[Finding | Skipped]
            try:
                outcomes = list(islice(module.check(value, host), remaining + 1))
            except Exception as error:
                self.add_failure(rule, document, error)
                continue
            if outcomes:
                self.counts_by_rule[rule] = MOST_OF_A_RULE - remaining + len(outcomes)
                if len(outcomes) > remaining:
                    self.cut_off(rule, document)
            for outcome in outcomes[:remaining]:
                if isinstance(outcome, Skipped):
                    self.skipped.append(outcome)
                else:
                    yield outcome

    def runs(self, rule: str) -> bool:
        is_chosen = self.chosen is None or rule in self.chosen
        return is_chosen and not self.settings.is_off(rule)

    def cut_off(self, rule: str, document: Document) -> None:
        self.cut.add(rule)
        reason = f"`{rule}` has more than {MOST_OF_A_RULE} findings: the rest is not listed"
        hint = "correct those that are listed, then check again"
        self.skipped.append(Skipped(document.source.path, reason, hint))

    def counts(self, rule: str) -> bool:
        """Return True if the rule can give a finding that is asked for, or that a comment names."""
        return (
            rules.may_reach(rule, self.threshold) or rule in self.settings.levels or self.is_marked
        )

    def fixes(self, document: Document, subject: object, finding: Finding) -> tuple[Fix, ...]:
        """The fixes that a rule proposes, without those that this kind of file cannot express.

        A change of a value that the text does not hold as one is named among what was skipped.
        """
        kind = formats.get(document.kind)
        path = document.source.path
        fixes: list[Fix] = []
        for title, safe, changes, caution in finding.remedies:
            edits: Sequence[Edit] = ()
            try:
                if self.wanted >= Fixes.EDITS:
                    edits = kind.edits(document, subject, changes) or ()
                elif not kind.can(document, subject, changes):
                    continue
            except NotInTreeError as error:
                self.skipped.append(Skipped(path, f"has no fix for `{finding.rule}`: {error}"))
                continue
            if edits or self.wanted < Fixes.EDITS:
                fixes.append(Fix(title, safe, path, tuple(edits), "" if safe else caution))
        return tuple(fixes)

    def add_failure(self, rule: str, document: Document, error: Exception) -> None:
        if rule in self.broken:
            return
        self.broken.add(rule)
        reason = f"the rule `{rule}` failed: {type(error).__name__}: {error}"
        self.skipped.append(Skipped(document.source.path, reason, _REPORT, is_bug=True))


def _unread(document: Document) -> Iterator[Skipped]:
    """The parts of the text that its parser left out; they count as a file that was not checked."""
    source = document.source
    for problem in document.tree.unread:
        line = source.position(problem.span.start).line + 1
        reason = f"is not read as a whole, from line {line} on: {problem.message}"
        yield Skipped(source.path, reason, "split the file", is_file=True)


def _without_covered(findings: list[Finding]) -> list[Finding]:
    """`findings` without those of rules that yield to another one's finding at the same place."""
    yielding = {finding.rule: rules.get(finding.rule).META.yields_to for finding in findings}
    if not any(yielding.values()):
        return findings
    return [
        finding
        for finding in findings
        if not yielding[finding.rule]
        or not any(
            other.rule in yielding[finding.rule] and _overlap(other.place, finding.place)
            for other in findings
        )
    ]


def _overlap(one: Place, other: Place) -> bool:
    return (
        one.path == other.path
        and one.span.start < other.span.end
        and other.span.start < one.span.end
    )


def _identity(finding: Finding) -> object:
    return finding.rule, finding.evidence, finding.suppressed is not None


def _counts(findings: Iterable[Finding]) -> dict[object, int]:
    counts: dict[object, int] = {}
    for finding in findings:
        key = _identity(finding)
        counts[key] = counts.get(key, 0) + 1
    return counts
