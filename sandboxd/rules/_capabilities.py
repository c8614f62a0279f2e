"""The capabilities of Linux, and findings about those that are added."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import USES, user_of
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandboxd.findings import Finding, RuleMeta, Severity
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

KNOWN_CAPABILITIES = frozenset(
    (
        "ALL", "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF",
        "CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID",
        "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE",
        "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "PERFMON", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT",
        "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE",
        "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
    )
)  # fmt: skip


def added(
    meta: RuleMeta,
    container: Container,
    host: HostFacts,
    effects: Mapping[str, tuple[str, Severity]],
    sandboxed: Severity,
    caution: str,
) -> Iterator[Finding]:
    """A finding for each added capability of `effects`: what it lets do, and how bad that is."""
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
