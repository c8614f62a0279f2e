"""A project's decisions about rules: their severities, and the findings that it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Severity, Suppressed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.config.model import Config
    from sandboxd.findings import Finding


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


def from_config(config: Config, today: str) -> RuleSettings:
    """The rule settings of a project's `sandboxd.toml`."""
    levels: dict[str, Severity | None] = {}
    for setting in config.rules:
        rule, level = setting.value
        levels[rule] = None if level == "off" else Severity[level.upper()]
    by = config.path or "sandboxd.toml"
    allowances = tuple(
        Allowance(allow.rule, allow.reason, by, allow.expires) for allow in config.allow
    )
    return RuleSettings(levels, allowances, today)
