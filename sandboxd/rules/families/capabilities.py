"""Capabilities that are added, and what each allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._capabilities import (
    FILES_BY_NUMBER,
    KERNEL_WIDE,
    MODULES,
    MOUNTING,
    RAW_ACCESS,
    TRACING,
)
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import kernel_severity
from sandboxd.rules._uses import USES, user_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container


class Capabilities(NamedTuple):
    """A finding for each added capability of `effects`."""

    META: RuleMeta
    effects: Mapping[str, tuple[str, Severity]]
    """Name -> (what it allows, how bad that is on the host's kernel)."""
    caution: str
    """What stops working without it."""
    sandboxed: Severity = Severity.HINT
    """The severity under a runtime with a kernel of its own, such as gVisor."""

    def check(self, subject: Container, host: HostFacts) -> Iterator[Finding]:
        for value in subject.cap_add:
            if value.value not in self.effects:
                continue
            effect, severity = self.effects[value.value]
            message = f"`{value.written}` {effect}"
            user = user_of(subject, value.value) if value.value in USES else ""
            title = f"do not add {value.value}"
            remedy = Remedy(title, safe=False, changes=(Remove(value),), caution=self.caution)
            yield at_value(
                self.META,
                value,
                f"{message}; there is no fix, as {user} needs it" if user else message,
                value.value,
                kernel_severity(subject, host, severity, self.sandboxed),
                () if user else (remedy,),
            )


def _needs(effects: Iterable[str]) -> tuple[Has, ...]:
    return tuple(Has("cap_add", name) for name in effects)


ROWS = (
    Capabilities(
        RuleMeta(
            id="cap-add-bpf-perfmon",
            summary="a capability for tracing the kernel is added",
            severity=Severity.WARNING,
            since="0.1.0",
            why="tracing sees the whole host, and its verifier is a known way to root",
            needs=_needs(TRACING),
        ),
        effects=TRACING,
        caution="tracing from inside stops working",
    ),
    Capabilities(
        RuleMeta(
            id="cap-add-dac-read-search",
            summary="the capability DAC_READ_SEARCH is added",
            severity=Severity.ERROR,
            since="0.1.0",
            why="any file of the host can be read by its number, mounted or not",
            needs=_needs(FILES_BY_NUMBER),
        ),
        effects=FILES_BY_NUMBER,
        caution="reading files without permission stops working",
    ),
    Capabilities(
        RuleMeta(
            id="cap-add-kernel-wide",
            summary="a capability is added that reaches past the container's own processes",
            severity=Severity.WARNING,
            since="0.1.0",
            why="what holds a container in its place for everybody else holds less",
            needs=_needs(KERNEL_WIDE),
        ),
        effects=KERNEL_WIDE,
        caution="what uses it stops working",
    ),
    Capabilities(
        RuleMeta(
            id="cap-add-sys-admin",
            summary="the capability SYS_ADMIN is added",
            severity=Severity.ERROR,
            since="0.1.0",
            why="it opens mounting and a large part of the kernel: known escapes start there",
            needs=_needs(MOUNTING),
        ),
        effects=MOUNTING,
        caution="mounting, FUSE and sandboxes inside stop working",
        sandboxed=Severity.WARNING,
    ),
    Capabilities(
        RuleMeta(
            id="cap-add-sys-module",
            summary="the capability SYS_MODULE is added",
            severity=Severity.ERROR,
            since="0.1.0",
            why="a kernel module runs as the host's kernel itself",
            needs=_needs(MODULES),
        ),
        effects=MODULES,
        caution="loading kernel modules from inside stops working",
    ),
    Capabilities(
        RuleMeta(
            id="cap-add-sys-rawio",
            summary="a capability over hardware, clock or security modules is added",
            severity=Severity.ERROR,
            since="0.1.0",
            why="what it changes is changed for the host, since none of this is namespaced",
            needs=_needs(RAW_ACCESS),
        ),
        effects=RAW_ACCESS,
        caution="what uses it stops working",
    ),
)
