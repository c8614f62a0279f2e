"""What a project decides about rules: how much each weighs, and what it accepts."""

from __future__ import annotations

from sandboxd._typing import TYPE_CHECKING, NamedTuple
from sandboxd.findings import Severity, Suppressed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.config import Config
    from sandboxd.findings import Finding


class Allowance(NamedTuple):
    """Findings of `rule` that the project accepts; `expires` is an ISO date or None."""

    rule: str
    reason: str
    by: str
    expires: str | None = None


class RuleSettings(NamedTuple):
    """`levels` maps rules to their severity, None for "off".

    `today` is an ISO date; when it is '' no allowance that expires is honoured.
    """

    levels: Mapping[str, Severity | None] = {}
    allowances: tuple[Allowance, ...] = ()
    today: str = ""

    def is_off(self, rule: str) -> bool:
        return rule in self.levels and self.levels[rule] is None

    def severity(self, finding: Finding) -> Severity | None:
        """A level of the project replaces the severity that a rule derived."""
        return self.levels.get(finding.rule, finding.severity)

    def allowed(self, rule: str) -> Suppressed | None:
        """Why findings of `rule` are accepted, if they are."""
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
