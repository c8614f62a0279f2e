"""Shared by rules about seccomp profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Finding, Remedy, Remove
from sandboxd.rules._finding import at_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import RuleMeta, Severity
    from sandboxd.model.seccomp import SeccompProfile
    from sandboxd.model.values import Value

# A list that allows by default opens nearly everything: `seccomp-default-allow` says so once.


def open_calls(
    meta: RuleMeta,
    profile: SeccompProfile,
    calls: tuple[str, ...],
    effect: str,
    caution: str,
    severity: Severity | None = None,
) -> Iterator[Finding]:
    """One finding about those of `calls` that a list names and lets everybody make."""
    if profile.is_denylist():
        return
    names = profile.open_calls(calls)
    if names:
        yield at_value(
            meta,
            names[0],
            f"{list_names(names)}: {effect}",
            ", ".join(value.value for value in names),
            severity,
            remedies=(
                Remedy(
                    f"take {list_names(names)} off the list",
                    safe=False,
                    changes=tuple(Remove(value) for value in names),
                    caution=caution,
                ),
            ),
        )


def list_names(values: list[Value[str]], most: int = 4) -> str:
    """The first few names, and how many more there are."""
    names = [f"`{value.value}`" for value in values[:most]]
    more = len(values) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
