"""The capabilities of Linux, and findings about those that are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove
from sandboxd.model.capabilities import CAPABILITIES
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import kernel_severity
from sandboxd.rules._uses import USES, user_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sandboxd.findings import Finding, RuleMeta, Severity
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

KNOWN_CAPABILITIES = frozenset(("ALL", *CAPABILITIES))


def needs(effects: Iterable[str]) -> tuple[Has, ...]:
    """The needs of a rule about any of these capabilities."""
    return tuple(Has("cap_add", name) for name in effects)


def added(
    meta: RuleMeta,
    container: Container,
    host: HostFacts,
    effects: Mapping[str, tuple[str, Severity]],
    sandboxed: Severity,
    caution: str,
) -> Iterator[Finding]:
    """A finding for each added capability of `effects`: what it allows, and how bad that is."""
    for value in container.cap_add:
        if value.value not in effects:
            continue
        effect, severity = effects[value.value]
        user = user_of(container, value.value) if value.value in USES else ""
        message = f"`{value.written}` {effect}"
        yield at_value(
            meta,
            value,
            f"{message}; there is no fix, as {user} needs it" if user else message,
            value.value,
            kernel_severity(container, host, severity, sandboxed),
            ()
            if user
            else (Remedy(f"do not add {value.value}", False, (Remove(value),), caution),),
        )
