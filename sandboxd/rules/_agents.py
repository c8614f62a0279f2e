"""Findings about guards of AI agents that a repository switches off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from sandboxd.findings import Finding
    from sandboxd.model.agent import Switch


def at_switch(meta: RuleMeta, switch: Switch, message: str, evidence: str, caution: str) -> Finding:
    """A finding about a guard that is off: an error where no guard is left.

    :param caution: of the fix, which removes the setting
    """
    remedy = Remedy(
        "remove the setting", safe=False, changes=(Remove(switch.value),), caution=caution
    )
    severity = Severity.ERROR if switch.is_total else Severity.WARNING
    return at_value(meta, switch.value, message, evidence, severity, (remedy,))
