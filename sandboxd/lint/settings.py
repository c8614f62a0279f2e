"""A project's decisions about rules, from the nearest `sandboxd.toml`: their severities, and the findings that it
accepts.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sandboxd import files, formats, rules
from sandboxd.errors import UnreadableError
from sandboxd.findings import OTHERS, Severity, Skipped, Suppressed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.config.model import Config
    from sandboxd.findings import Finding
    from sandboxd.model.document import Document


USUAL_OTHERS = (
    *("vendor/", "third_party/", "testdata/", "fixtures/", "__fixtures__/"),
    *("*.example", "*.example.*"),
)
"""The patterns, as of a `.gitignore`, of a project that names none itself."""


class Allowance(NamedTuple):
    """The project accepts all findings of `rule`, for this reason, until the ISO date `expires`; None for ever.

    `by` says where that is decided.
    """

    rule: str
    reason: str
    by: str
    expires: str | None = None


class RuleSettings(NamedTuple):
    """The severities and accepted findings that a project sets for rules.

    `today` is an ISO date; if it is '', an allowance with an expiry date does not count.
    """

    levels: Mapping[str, Severity | None] = {}
    """The severity of each rule for which the project sets one; None for "off"."""
    allowances: tuple[Allowance, ...] = ()
    today: str = ""
    enforced: Mapping[str, str] = {}
    """The rules whose findings nobody may suppress, each with the policy file or option that says so."""
    others: tuple[str, ...] = USUAL_OTHERS
    """Patterns of files that are somebody else's, as of a `.gitignore`."""
    of_others: bool = False
    """Whether the file that is judged is one of those: its findings are suppressed."""

    def is_off(self, rule: str) -> bool:
        return rule not in self.enforced and rule in self.levels and self.levels[rule] is None

    def weigh(self, finding: Finding) -> Finding:
        """`finding` with the project's severity, or marked as suppressed by an allowance.

        A finding of an enforced rule is neither lowered nor suppressed.
        """
        severity = self.levels.get(finding.rule, finding.severity)
        allowed = self.allowance(finding.rule)
        if finding.rule in self.enforced:
            if allowed is not None:
                finding = self.insist(finding, "`[[allow]]` in sandboxd.toml")
            if severity is None or severity < finding.severity:
                finding = self.insist(finding, "`[rules]` in sandboxd.toml")
                severity = finding.severity
            allowed = None
        elif self.of_others and allowed is None:
            allowed = _OF_OTHERS
        if severity is not None and severity != finding.severity:
            finding = finding._replace(severity=severity)
        return finding._replace(suppressed=allowed) if allowed else finding

    def insist(self, finding: Finding, what: str) -> Finding:
        """`finding`, of an enforced rule, with a note that `what` does not suppress it."""
        by = self.enforced[finding.rule]
        note = f"{what} does not count: `{by}` lets nobody suppress this rule"
        return finding._replace(message=f"{finding.message}; {note}")

    def allowance(self, rule: str) -> Suppressed | None:
        """The project's acceptance of all findings of `rule`; None where there is none or it has expired."""
        for allowance in self.allowances:
            expired = allowance.expires is not None and not (
                self.today and self.today <= allowance.expires
            )
            if allowance.rule == rule and not expired:
                return Suppressed(allowance.reason, allowance.by)
        return None


NO_SETTINGS = RuleSettings()
_OF_OTHERS = Suppressed("the file is somebody else's", OTHERS)


class Decided(NamedTuple):
    """The rule settings for the files of a folder, and the config that they come from."""

    settings: RuleSettings
    problem: Skipped | None = None
    """Why the config is not applied; None where it is, or there is none."""
    config: Document | None = None
    """The parsed config; None where there is none or it cannot be read."""


NOTHING_DECIDED = Decided(NO_SETTINGS)


def read_settings(folder: str) -> Decided:
    """The rule settings for the files in `folder`, an absolute path.

    A config with any mistake is not applied at all, since one that is half understood could hide a finding.
    """
    config = files.find_upward(folder, files.CONFIG_NAME)
    if config is None:
        return NOTHING_DECIDED
    try:
        status = os.stat(config)
    except OSError:
        return NOTHING_DECIDED
    from datetime import date

    identity = (status.st_ino, status.st_mtime_ns, status.st_size)
    return _read(config, identity, date.today().isoformat())


@lru_cache(maxsize=64)
def _read(path: str, _identity: tuple[int, int, int], today: str) -> Decided:
    from sandboxd.config import reading

    kind = formats.get("sandboxd_toml")
    try:
        source = files.read_source(path, limit=kind.LARGEST)
    except UnreadableError as error:
        return _nothing(path, f"{error.message}, so its rules are not applied", error.hint)
    document = kind.parse(source)
    config, _ = reading.check(source, document.tree, rules.ids())
    if config is None:
        reason = "has mistakes, so its rules and allowances are not applied"
        problem = _nothing(path, reason, f"`sandboxd check {path}` says what")
        return problem._replace(config=document)
    return Decided(_from_config(config, today), config=document)


def _nothing(path: str, reason: str, hint: str) -> Decided:
    return Decided(NO_SETTINGS, Skipped(path, reason, hint))


def _from_config(config: Config, today: str) -> RuleSettings:
    """The rule settings of a project's `sandboxd.toml`."""
    levels: dict[str, Severity | None] = {}
    for setting in config.rules:
        rule, level = setting.value
        levels[rule] = None if level == "off" else Severity[level.upper()]
    by = config.path or "sandboxd.toml"
    allowances = tuple(
        Allowance(allow.rule, allow.reason, by, allow.expires) for allow in config.allow
    )
    others = USUAL_OTHERS if config.others is None else tuple(each.value for each in config.others)
    return RuleSettings(levels, allowances, today, others=others)
