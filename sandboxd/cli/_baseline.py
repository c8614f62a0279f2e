"""Findings that a project has accepted for now, so that only new ones fail.

The file holds each with its rule, its file and what it is about, which survive moved lines and
rewording; and why it was accepted, and until when.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

from sandboxd import files
from sandboxd.errors import UnreadableError, UsageError
from sandboxd.findings import Suppressed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from sandboxd.findings import Finding
    from sandboxd.lint.settings import RuleSettings

VERSION = 1


class Key(NamedTuple):
    """The identity of a finding over time; `path` is relative to the baseline's folder."""

    rule: str
    path: str
    evidence: str


class Entry(NamedTuple):
    """An accepted finding: `times` in its file, until `expires` (an ISO date or '')."""

    key: Key
    times: int
    reason: str
    expires: str


class Baseline:
    """The entries of one file. `today` is an ISO date."""

    def __init__(self, path: str, entries: Iterable[Entry], today: str) -> None:
        self.path = path
        self.folder = os.path.dirname(os.path.abspath(path))
        self.entries = {entry.key: entry for entry in entries}
        self.today = today

    def key(self, finding: Finding) -> Key:
        path = os.path.relpath(finding.place.path, self.folder).replace(os.sep, "/")
        return Key(finding.rule, path, finding.evidence)

    def apply(self, findings: Iterable[Finding], policy: RuleSettings) -> list[Finding]:
        """The findings with the accepted ones marked; more of them than `times` are new findings.

        One of a rule that the policy enforces stays.
        """
        remaining = {key: entry.times for key, entry in self.entries.items() if self.holds(entry)}
        marked: list[Finding] = []
        for finding in findings:
            key = self.key(finding)
            if finding.suppressed is None and remaining.get(key, 0) > 0:
                remaining[key] -= 1
                if finding.rule in policy.enforced:
                    finding = policy.insist(finding, "the baseline")
                else:
                    accepted = Suppressed(self.entries[key].reason, self.path)
                    finding = finding._replace(suppressed=accepted)
            marked.append(finding)
        return marked

    def holds(self, entry: Entry) -> bool:
        return not entry.expires or self.today <= entry.expires

    def stale(self, findings: Iterable[Finding]) -> list[Entry]:
        """The entries that no finding matches any more."""
        there = {self.key(finding) for finding in findings}
        return [entry for key, entry in self.entries.items() if key not in there]

    def ended(self, findings: Iterable[Finding]) -> list[Entry]:
        """The entries whose date has passed while their finding is still there."""
        there = {self.key(finding) for finding in findings}
        return [e for key, e in self.entries.items() if key in there and not self.holds(e)]

    def with_findings(self, findings: Iterable[Finding], reason: str, expires: str) -> str:
        """The text of a new file that accepts `findings`; those in this baseline keep their reason."""
        counts: dict[Key, int] = {}
        for finding in findings:
            if finding.suppressed is None or finding.suppressed.by == self.path:
                key = self.key(finding)
                counts[key] = counts.get(key, 0) + 1
        rows = []
        for key in sorted(counts):
            old = self.entries.get(key)
            is_valid = old is not None and self.holds(old)
            rows.append(
                {
                    **key._asdict(),
                    "count": counts[key],
                    "reason": old.reason if old is not None and is_valid else reason,
                    "expires": (old.expires if old is not None and is_valid else expires) or None,
                }
            )
        return json.dumps({"version": VERSION, "findings": rows}, indent=2) + "\n"


def load(path: str, today: str) -> Baseline:
    """The baseline in the file at `path`.

    :raises UsageError: it cannot be read, or is no baseline
    """
    hint = f"`sandboxd check --write-baseline {path} --reason TEXT` writes one"
    try:
        data = json.loads(files.read_source(path).text)
    except UnreadableError as error:
        raise UsageError(f"the baseline `{path}` {error.message}", hint) from None
    except (ValueError, RecursionError):
        raise UsageError(f"the baseline `{path}` is not valid JSON", hint) from None
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise UsageError(f"`{path}` is no baseline of version {VERSION}", hint)
    rows = data.get("findings")
    if not isinstance(rows, list):
        raise UsageError(f"the baseline `{path}` holds no `findings`", hint)
    return Baseline(path, [_entry(row, path, hint) for row in rows], today)


def _entry(row: Any, path: str, hint: str) -> Entry:
    """The entry of a row.

    :raises UsageError: it does not say what it accepts, or why
    """
    required = (*Key._fields, "reason")
    texts = [str(row[name]) for name in required if isinstance(row, dict) and row.get(name)]
    if len(texts) < len(required):
        raise UsageError(f"an entry of the baseline `{path}` lacks its rule, path or reason", hint)
    count, expires = row.get("count", 1), row.get("expires")
    return Entry(
        Key(texts[0], texts[1], texts[2]),
        count if isinstance(count, int) else 1,
        texts[3],
        expires if isinstance(expires, str) else "",
    )
