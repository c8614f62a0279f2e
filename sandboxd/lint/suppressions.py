"""Comments that suppress findings: ``// sandboxd: allow <rule>[, <rule>] -- reason``.

A comment at the end of a line applies to that line; one that has a line for itself applies to the next line that is
not a comment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Place, Suppressed, is_reason
from sandboxd.model.suppression import Suppression
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sandboxd.findings import Finding
    from sandboxd.lint.settings import RuleSettings
    from sandboxd.model.document import Document
    from sandboxd.text import SourceText

MARK = "sandboxd:"
# Further suppressions of a file have no effect; real files have less than a tenth as many.
MOST = 500
_ALLOW = r"(?:\A|[\s#/*])sandboxd:\s*+allow\b"
_REASON = r"\s--"
_RULE = r"[^\s,]+"
_COMMENT_LINE = ("//", "/*", "*", "#")


def read(document: Document, rule_ids: Collection[str]) -> list[Suppression]:
    """The suppression comments of a file, in its order.

    Reading ends once there are more than :data:`MOST`, so that a longer list shows that there are too many.

    :param rule_ids: the ids of all rules
    """
    source = document.source
    if MARK not in source.text:
        return []
    suppressions: list[Suppression] = []
    targets: dict[int, int] = {}
    for comment in document.tree.comments:
        suppressions.extend(_of_comment(source, comment.span, rule_ids, targets))
        if len(suppressions) > MOST:
            break
    return suppressions


def apply(
    findings: Iterable[Finding],
    suppressions: list[Suppression],
    source: SourceText,
    settings: RuleSettings,
) -> tuple[list[Finding], list[Suppression]]:
    """The findings with the suppressed ones marked, and the suppressions with `used` set."""
    reasons: dict[tuple[str, int], str] = {}
    for suppression in suppressions:
        key = suppression.rule, suppression.line
        reason = suppression.reason if is_reason(suppression.reason) else ""
        reasons[key] = reasons.get(key) or reason
    used: set[tuple[str, int]] = set()
    marked: list[Finding] = []
    for finding in findings:
        key = finding.rule, source.position(finding.place.span.start).line
        if key in reasons:
            used.add(key)
            if finding.rule in settings.enforced:
                finding = settings.insist(finding, "the comment that allows it")
            elif reasons[key]:
                finding = finding._replace(suppressed=Suppressed(reasons[key], "comment"))
        marked.append(finding)
    return marked, [
        suppression._replace(used=(suppression.rule, suppression.line) in used)
        for suppression in suppressions
    ]


def _of_comment(
    source: SourceText, span: Span, rule_ids: Collection[str], targets: dict[int, int]
) -> list[Suppression]:
    text = source.text[span.start : span.end]
    if MARK not in text:
        return []
    import re

    match = re.search(_ALLOW, text)
    if match is None:
        return []
    words = text[match.end() :].rstrip().removesuffix("*/").rstrip()
    end = re.search(_REASON, words)
    rules, reason = (words[: end.start()], words[end.end() :]) if end else (words, "")
    line = source.position(span.start).line
    alone = not source.text[source.line_starts()[line] : span.start].strip()
    target = _next_line(source, source.position(span.end).line, targets) if alone else line
    comment = Place(source.path, span)
    suppressions: list[Suppression] = []
    for rule in re.finditer(_RULE, rules):
        start = span.start + match.end() + rule.start()
        place = Place(source.path, Span(start, start + len(rule[0])))
        is_known = rule[0] in rule_ids
        suppressions.append(
            Suppression(
                rule[0],
                reason.strip(),
                place,
                comment,
                alone,
                target,
                is_known,
                suggestion="" if is_known else _nearest(rule[0], rule_ids),
            )
        )
    return suppressions


def _next_line(source: SourceText, line: int, targets: dict[int, int]) -> int:
    """The line that a comment ending on `line` speaks for.

    `targets` says it of the comments before; those of one block speak for the same line.
    """
    last = len(source.line_starts()) - 1
    line += 1
    if line in targets:
        return targets[line]
    passed = [line]
    while line < last and source.line_text(line).strip().startswith(_COMMENT_LINE):
        line += 1
        passed.append(line)
    targets.update(dict.fromkeys(passed, line))
    return line


def _nearest(rule: str, rule_ids: Collection[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(rule[:80], sorted(rule_ids), n=1)
    return near[0] if near else ""
