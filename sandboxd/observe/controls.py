"""Which controls are in force, by what is seen inside: a setting in `inspect` is only a wish.

What each runtime shows, hides and misreports is measured: under gVisor no-new-privileges is not
shown, "Seccomp: 0" is true for every process that `exec` starts, a read-only mount proves nothing
while `directfs` is on, and the host's view of the process is the sentry's own.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.data import data_path
from sandboxd.files import read_source
from sandboxd.observe.inspection import seccomp_identity

if TYPE_CHECKING:
    from sandboxd.model.container import Container
    from sandboxd.observe.look_inside import Inside
    from sandboxd.observe.outside import Outside

State = Literal["in force", "not in force", "cannot be seen"]


class Control(NamedTuple):
    """One control; `why` is the observation, or why there is none."""

    name: str
    state: State
    why: str


# What a machine gives each user by default is more than that.
_OF_A_SANDBOX = 16384

# Which of them there are is the kernel's configuration.
_MASKED = ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware")

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


def controls(
    live: Container, inside: Inside | None, host_boot_id: str, outside: Outside | None = None
) -> tuple[Control, ...]:
    """The controls of a running container.

    :param live: what the engine says, as `observe.container` reads it
    :param host_boot_id: '' where it is hidden; then nothing counts as a kernel of its own
    :param inside: what was seen inside, None when nothing could be
    :param outside: what the host sees, None when it was not asked
    """
    if inside is None:
        blind = "the image has no `sh` and `cat` to look with"
        names = ("own kernel", "capabilities", "no-new-privileges", "seccomp", "read-only mounts")
        return tuple(Control(name, "cannot be seen", blind) for name in names)
    own_kernel = bool(inside.boot_id and host_boot_id) and inside.boot_id != host_boot_id
    found = [
        _kernel(inside, host_boot_id),
        _user(inside),
        _bounding(live, inside),
        _no_new_privileges(inside, own_kernel),
        _seccomp(live, inside, own_kernel),
        *_read_only(live, inside, own_kernel),
        _app_armor(live, inside, own_kernel),
        _user_namespace(inside, own_kernel),
        _masked(inside, own_kernel),
        _network(inside),
    ]
    if outside is not None:
        found += _from_outside(inside, own_kernel, outside)
    return tuple(found)


def _from_outside(inside: Inside, own_kernel: bool, outside: Outside) -> list[Control]:
    found = [_runtime(own_kernel, outside)]
    if own_kernel:
        found += [_directfs(inside), _host_sockets(outside)]
    memory = outside.memory
    found.append(
        Control("memory limit", "in force", f"{memory >> 20} MiB, by the host's control group")
        if memory
        else Control("memory limit", "not in force", "the host's control group sets none")
    )
    found.append(
        Control(
            "cpu limit", "in force", f"{outside.cpus:g} processors, by the host's control group"
        )
        if outside.cpus
        else Control("cpu limit", "not in force", "the host's control group sets none")
    )
    return [*found, _processes(inside, own_kernel, outside)]


def _runtime(own_kernel: bool, outside: Outside) -> Control:
    """The name is only a word of the engine's configuration: what it starts, and which kernel ran."""
    name = "runtime"
    if not outside.path:
        return Control(
            name, "cannot be seen", f"the engine does not say what `{outside.runtime}` is"
        )
    command = " ".join((outside.path, *outside.arguments))
    if outside.is_gvisor != own_kernel:
        seen = "has a kernel of its own" if own_kernel else "runs on the host's kernel"
        return Control(
            name, "not in force", f"`{outside.runtime}` stands for `{command}`, yet it {seen}"
        )
    return Control(name, "in force", f"for `{outside.runtime}` the engine starts `{command}`")


def _directfs(inside: Inside) -> Control:
    """gVisor tells by the options of its mounts; with directfs the sandbox holds host descriptors."""
    name = "no directfs"
    if any("directfs" in file_system for _, _, file_system in inside.mounts):
        return Control(name, "not in force", "a mount inside says `directfs`")
    return Control(name, "in force", "no mount inside says `directfs`")


def _host_sockets(outside: Outside) -> Control:
    how = outside.opens_host_sockets()
    if how:
        return Control("no host sockets", "not in force", f"opened by {how}")
    return Control("no host sockets", "in force", "host-uds is not set")


def _processes(inside: Inside, own_kernel: bool, outside: Outside) -> Control:
    """A user's limit binds no root under Linux; gVisor counts root's processes, too."""
    name = "process limit"
    if outside.processes:
        return Control(name, "in force", f"{outside.processes}, by the host's control group")
    root = (inside.status.get("Uid") or "0 0").split()[1] == "0"
    if inside.processes.isdigit() and int(inside.processes) <= _OF_A_SANDBOX:
        if own_kernel or not root:
            return Control(name, "in force", f"{inside.processes} for the user")
        return Control(name, "not in force", "the user's limit does not bind root")
    return Control(name, "not in force", "neither the control group nor the user's limit sets one")


def _app_armor(live: Container, inside: Inside, own_kernel: bool) -> Control:
    option = live.option("apparmor")
    asked = option.value.value if option else ""
    if own_kernel:
        return Control("AppArmor", "cannot be seen", "gVisor shows no label")
    if not inside.label:
        lost = f"`{asked}` was asked for, and silently not applied: " if asked else ""
        return Control("AppArmor", "not in force", f"{lost}the kernel gives the process no label")
    if inside.label.startswith("unconfined"):
        return Control("AppArmor", "not in force", "the process is unconfined")
    name, _, mode = inside.label.partition(" ")
    if asked and name != asked:
        return Control("AppArmor", "not in force", f"`{asked}` was asked for, `{name}` is applied")
    state: State = "not in force" if mode == "(complain)" else "in force"
    return Control("AppArmor", state, f"the process has the label `{inside.label}`")


def _user_namespace(inside: Inside, own_kernel: bool) -> Control:
    name = "user namespace"
    if own_kernel or len(inside.user_map) < 3:
        return Control(name, "cannot be seen", "the mapping inside is not the host's")
    if inside.user_map[:2] == ("0", "0"):
        return Control(name, "not in force", "root inside is root on the host")
    return Control(name, "in force", f"root inside is user {inside.user_map[1]} on the host")


def _masked(inside: Inside, own_kernel: bool) -> Control:
    name = "masked paths"
    if own_kernel:
        return Control(name, "in force", "gVisor's /proc and /sys are its own")
    seen = {point: options for point, options, _ in inside.mounts}
    if "ro" not in seen.get("/proc/sys", ()):
        return Control(name, "not in force", "/proc/sys is not mounted read-only")
    covered = [path for path in _MASKED if path in seen]
    if not covered:
        return Control(name, "not in force", f"nothing covers {', '.join(_MASKED)}")
    return Control(name, "in force", f"{', '.join(covered)} covered, /proc/sys read-only")


def _network(inside: Inside) -> Control:
    if not inside.routes:
        return Control("no network", "in force", "there is no route")
    ways = [route.split()[0] for route in inside.routes if route.split()[1] == "00000000"]
    if ways:
        return Control("no network", "not in force", f"a default route by {ways[0]}")
    return Control("no network", "not in force", "routes to some networks, none to everywhere")


def _kernel(inside: Inside, host_boot_id: str) -> Control:
    if not inside.boot_id:
        return Control("own kernel", "cannot be seen", "boot_id is hidden")
    if not host_boot_id:
        return Control("own kernel", "cannot be seen", "the host's boot_id is hidden")
    if inside.boot_id != host_boot_id:
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
        profile = _profile_name(option.value.value) if option else "the engine's default"
        return Control("seccomp", "in force", f"a filter is loaded (asked for: {profile})")
    if own_kernel:
        why = "gVisor loads no filter into processes that `exec` starts, editors among them"
        return Control("seccomp", "not in force", why)
    return Control("seccomp", "not in force", f"Seccomp is {line}")


def _profile_name(identity: str) -> str:
    """The shipped file of a profile's hash, the hash where it is none of ours."""
    folder = data_path("profiles", "seccomp")
    for file in sorted(os.listdir(folder)):
        if file.endswith(".json") and identity == _identity_of(os.path.join(folder, file)):
            return f"{file}, {identity}"
    return identity


@functools.cache
def _identity_of(path: str) -> str:
    return seccomp_identity(read_source(path).text)


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
