"""The table of capabilities: the effect of each beyond its container, and its severity on the host's kernel."""

from __future__ import annotations

from sandboxd.findings import Severity

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
FILES_BY_NUMBER = {
    "DAC_READ_SEARCH": (
        "opens files of the host by their number, whether they are mounted or not",
        Severity.ERROR,
    ),
}
MOUNTING = {
    "SYS_ADMIN": (
        "lets the container mount, and call most of what the kernel has",
        Severity.ERROR,
    ),
}
MODULES = {
    "SYS_MODULE": ("lets the container load code into the host's kernel", Severity.ERROR),
}
# The capabilities with which alone a container takes over its host.
OF_THE_HOST = {
    name: effect
    for table in (TRACING, KERNEL_WIDE, RAW_ACCESS, FILES_BY_NUMBER, MOUNTING, MODULES)
    for name, (effect, severity) in table.items()
    if severity is Severity.ERROR
}
