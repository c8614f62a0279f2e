"""The values that keys of `sandboxd.toml` may have."""

from __future__ import annotations

import os

from sandboxd.data import data_path

RUNTIMES = ("auto", "gvisor", "runc")
NETWORK_MODES = ("default", "none")
LAYOUTS = ("bind", "clone")
# A path that no tool that takes mounts apart breaks; the JSON schema has the same.
FOLDER_INSIDE = (
    r'^(?=.*\S)(?!\.\.?(/|$))[^/:,"\\$\x00-\x1f\x7f]+'
    r'(/(?!\.\.?(/|$))[^/:,"\\$\x00-\x1f\x7f]+)*$'
)
# As an engine takes it.
VOLUME_NAME = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$"
LEVELS = ("off", "hint", "warning", "error")

CAPABILITIES = (
    "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF",
    "CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID",
    "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE",
    "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW", "PERFMON",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT",
    "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE",
    "SYS_TIME", "SYS_TTY_CONFIG", "WAKE_ALARM",
)  # fmt: skip


def profile_names() -> tuple[str, ...]:
    """Names of the profiles that ship."""
    folder = data_path("profiles", "hardening")
    return tuple(sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".toml")))


def takes_from_host(text: str) -> bool:
    """True if a string names a variable of the host's environment."""
    lowered = text.lower()
    return "${localenv" in lowered or "${env" in lowered
