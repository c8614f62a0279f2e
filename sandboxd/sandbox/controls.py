"""Which controls are in force, by what is seen inside: a setting in `inspect` is only a wish.

What each runtime shows, hides and misreports is measured: under gVisor no-new-privileges is not
shown, "Seccomp: 0" is true for every process that `exec` starts, a read-only mount proves nothing
while `directfs` is on, and the host's view of the process is the sentry's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.sandbox.engine import Exec
from sandboxd.sandbox.execute import run_quietly

if TYPE_CHECKING:
    from sandboxd.model.container import Container
    from sandboxd.sandbox.engine import Engine

State = Literal["in force", "not in force", "cannot be seen"]


class Control(NamedTuple):
    """One control; `why` is the observation, or why there is none."""

    name: str
    state: State
    why: str


class Inside(NamedTuple):
    """What a process that `exec` starts sees of itself."""

    boot_id: str
    status: dict[str, str]
    mounts: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    """Mount point, its options, the file system's options."""


_SEPARATOR = "-- sandboxd --"
_SCRIPT = (
    f"cat /proc/sys/kernel/random/boot_id; echo '{_SEPARATOR}'; cat /proc/self/status; "
    f"echo '{_SEPARATOR}'; cat /proc/self/mountinfo"
)

# Bits of a capability set, in the kernel's order.
_CAPABILITIES = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
]


def boot_id() -> str:
    """The host's, '' where it is hidden."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return ""


def look(engine: Engine, container: str) -> Inside | None:
    """Look from inside; None when the image has nothing to look with."""
    code, output = run_quietly(engine, container, Exec(["sh", "-c", _SCRIPT]))
    return parse(output.decode("utf-8", "replace")) if code == 0 else None


def parse(text: str) -> Inside | None:
    """The output of the script that looks, None when it is not whole."""
    parts = text.split(_SEPARATOR)
    if len(parts) != 3:
        return None
    status = {}
    for line in parts[1].splitlines():
        name, separator, value = line.partition(":")
        if separator:
            status[name.strip()] = value.strip()
    mounts = []
    for line in parts[2].splitlines():
        fields = line.split()
        if "-" in fields and len(fields) > fields.index("-") + 3:
            super_options = fields[fields.index("-") + 3]
            point = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[4])
            mounts.append((point, tuple(fields[5].split(",")), tuple(super_options.split(","))))
    return Inside(parts[0].strip(), status, tuple(mounts))


def controls(live: Container, inside: Inside | None, host_boot_id: str) -> tuple[Control, ...]:
    """The controls of a running container.

    :param live: what the engine says, as `observe.container` reads it
    :param inside: what was seen inside, None when nothing could be
    """
    if inside is None:
        blind = "the image has no `sh` and `cat` to look with"
        names = ("own kernel", "capabilities", "no-new-privileges", "seccomp", "read-only mounts")
        return tuple(Control(name, "cannot be seen", blind) for name in names)
    own_kernel = bool(inside.boot_id) and inside.boot_id != host_boot_id
    return (
        _kernel(inside, own_kernel),
        _user(inside),
        _bounding(live, inside),
        _no_new_privileges(inside, own_kernel),
        _seccomp(live, inside, own_kernel),
        *_read_only(live, inside, own_kernel),
    )


def _kernel(inside: Inside, own_kernel: bool) -> Control:
    if not inside.boot_id:
        return Control("own kernel", "cannot be seen", "boot_id is hidden")
    if own_kernel:
        return Control("own kernel", "in force", "boot_id is not the host's")
    return Control("own kernel", "not in force", "boot_id is the host's: the kernel is shared")


def _user(inside: Inside) -> Control:
    uid = (inside.status.get("Uid") or "").split()
    if not uid:
        return Control("non-root user", "cannot be seen", "/proc/self/status has no Uid line")
    state: State = "not in force" if uid[1] == "0" else "in force"
    return Control("non-root user", state, f"commands run as user {uid[1]}")


def _bounding(live: Container, inside: Inside) -> Control:
    """CapBnd, not CapEff: an ordinary user's effective set is empty whatever root may get."""
    text = inside.status.get("CapBnd")
    if not text:
        return Control("capabilities", "cannot be seen", "/proc/self/status has no CapBnd line")
    bits = int(text, 16)
    real = {name for i, name in enumerate(_CAPABILITIES) if bits >> i & 1}
    shown = ", ".join(sorted(real)) or "none"
    if not live.drops_all():
        return Control("capabilities", "not in force", f"nothing is dropped as a whole: {shown}")
    extra = real - {cap.value for cap in live.cap_add}
    if extra:
        return Control("capabilities", "not in force", f"more than asked for: {sorted(extra)}")
    return Control("capabilities", "in force", f"at most {shown} (CapBnd)")


def _no_new_privileges(inside: Inside, own_kernel: bool) -> Control:
    name = "no-new-privileges"
    line = inside.status.get("NoNewPrivs")
    if line is not None:
        state: State = "in force" if line == "1" else "not in force"
        return Control(name, state, f"NoNewPrivs is {line}")
    why = "gVisor does not show it; `sandboxd verify` tries a setuid program"
    return Control(name, "cannot be seen", why if own_kernel else "no NoNewPrivs line")


def _seccomp(live: Container, inside: Inside, own_kernel: bool) -> Control:
    line = inside.status.get("Seccomp")
    if line is None:
        return Control("seccomp", "cannot be seen", "/proc/self/status has no Seccomp line")
    if line == "2":
        option = live.option("seccomp")
        profile = option.value.value if option else "the engine's default profile"
        return Control("seccomp", "in force", f"a filter is loaded (asked for: {profile})")
    if own_kernel:
        why = "gVisor loads no filter into processes that `exec` starts, editors among them"
        return Control("seccomp", "not in force", why)
    return Control("seccomp", "not in force", f"Seccomp is {line}")


def _read_only(live: Container, inside: Inside, own_kernel: bool) -> list[Control]:
    """One entry for each mount that the engine calls read-only."""
    seen = {point: (options, file_system) for point, options, file_system in inside.mounts}
    found = []
    for value in live.mounts:
        mount = value.value
        if not mount.read_only:
            continue
        name = f"read-only {mount.target}"
        if mount.target not in seen:
            found.append(Control(name, "cannot be seen", "it is not among the mounts inside"))
            continue
        options, file_system = seen[mount.target]
        if "ro" not in options:
            found.append(Control(name, "not in force", "it is mounted read-write inside"))
        elif own_kernel and "directfs" in file_system:
            why = "under gVisor with directfs a read-only folder can be emptied; run `sandboxd verify`"
            found.append(Control(name, "cannot be seen", why))
        else:
            found.append(Control(name, "in force", "mounted ro inside"))
    return found
