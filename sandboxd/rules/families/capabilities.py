"""Capabilities that are added, and what each allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import kernel_severity
from sandboxd.rules._uses import USES, user_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

TRACING = {
    "BPF": ("loads programs into the host's kernel", Severity.WARNING),
    "PERFMON": ("reads what the whole host does", Severity.WARNING),
    "CHECKPOINT_RESTORE": ("reads and sets what the kernel keeps of processes", Severity.WARNING),
}
KERNEL_WIDE = {
    "AUDIT_CONTROL": ("switches the audit log of the host off", Severity.WARNING),
    "AUDIT_READ": ("reads the audit log of the host", Severity.WARNING),
    "BLOCK_SUSPEND": ("keeps the host from going to sleep", Severity.HINT),
    "IPC_LOCK": ("locks memory until the host has none left", Severity.HINT),
    "IPC_OWNER": ("opens the shared memory of others in its IPC namespace", Severity.HINT),
    "LEASE": ("makes others wait who open a file that is mounted", Severity.HINT),
    "SYS_NICE": ("goes before the host's own programs", Severity.HINT),
    "SYS_PACCT": ("switches process accounting", Severity.HINT),
    "SYS_RESOURCE": ("lifts its own limits of processes and open files", Severity.HINT),
    "SYS_TTY_CONFIG": ("hangs up terminals", Severity.HINT),
}
RAW_ACCESS = {
    "SYS_RAWIO": ("gives access to I/O ports and raw disk commands of the host", Severity.ERROR),
    "SYS_BOOT": ("lets the container ask the kernel for a reboot", Severity.WARNING),
    "SYS_TIME": ("sets the clock of the host", Severity.WARNING),
    "SYSLOG": ("shows the kernel's log and its addresses", Severity.WARNING),
    "MAC_ADMIN": ("changes the policy of the host's security module", Severity.WARNING),
    "MAC_OVERRIDE": ("gets around the policy of the host's security module", Severity.WARNING),
    "WAKE_ALARM": ("sets wake-up timers of the host", Severity.WARNING),
    "LINUX_IMMUTABLE": ("makes files immutable, those of the host as well", Severity.WARNING),
}


class Capabilities(NamedTuple):
    """A finding for each added capability of `effects`."""

    META: RuleMeta
    effects: Mapping[str, tuple[str, Severity]]
    """Name -> (what it allows, how bad that is on the host's kernel)."""
    caution: str
    """What stops working without it."""
    sandboxed: Severity = Severity.HINT
    """How bad it is on a kernel of the container's own."""

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
            needs=_needs(("DAC_READ_SEARCH",)),
        ),
        effects={
            "DAC_READ_SEARCH": (
                "opens files of the host by their number, whether they are mounted or not",
                Severity.ERROR,
            ),
        },
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
            needs=_needs(("SYS_ADMIN",)),
        ),
        effects={
            "SYS_ADMIN": (
                "lets the container mount, and call most of what the kernel has",
                Severity.ERROR,
            ),
        },
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
            needs=_needs(("SYS_MODULE",)),
        ),
        effects={
            "SYS_MODULE": ("lets the container load code into the host's kernel", Severity.ERROR),
        },
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
