"""Controls of a container on the host's kernel, by its first process as the kernel shows it outside.

A process can take rights from itself, load a filter or change its user, and what `exec` starts beside it
would not have that. So what is seen counts only where the engine was asked for the same.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from sandboxd.data import data_path
from sandboxd.files import read_source
from sandboxd.model import capabilities
from sandboxd.observe.control import Control
from sandboxd.observe.controls_of_gvisor import network as asked_network
from sandboxd.observe.inspection import seccomp_identity

if TYPE_CHECKING:
    from sandboxd.model.container import Container
    from sandboxd.observe.control import State
    from sandboxd.observe.outside import Outside
    from sandboxd.observe.process import Process

# Which of them there are is the kernel's configuration.
_MASKED = ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware")

BLIND = "the host's /proc is closed here, and no observer could be started"


def controls(live: Container, process: Process | None, outside: Outside) -> tuple[Control, ...]:
    """The controls that the kernel shows on the process, which is None where it cannot be seen."""
    first = (_runtime(outside), _kernel(outside))
    if process is None:
        names = (
            "non-root user",
            "capabilities",
            "no-new-privileges",
            "seccomp",
            "AppArmor",
            "user namespace",
            "masked paths",
            *(f"read-only {v.value.target}" for v in live.mounts if v.value.read_only),
        )
        network = asked_network(live)
        if network.state == "in force":
            network = Control("network", "not seen", BLIND)
        return (*first, *(Control(name, "not seen", BLIND) for name in names), network)
    return (
        *first,
        _user(live, process),
        _bounding(live, process),
        _no_new_privileges(live, process),
        _seccomp(live, process),
        _app_armor(live, process),
        _user_namespace(live, process),
        _masked_paths(live, process),
        *read_only(live, process),
        _network(live, process),
    )


def _runtime(outside: Outside) -> Control:
    """The name is only a word of the engine's configuration: what counts is the program behind it."""
    if not outside.path:
        why = f"the engine does not say what `{outside.runtime}` is"
        return Control("runtime", "not seen", why)
    command = " ".join((outside.path, *outside.arguments))
    why = f"for `{outside.runtime}` the engine starts `{command}`"
    return Control("runtime", "in force", why)


def _kernel(outside: Outside) -> Control:
    if outside.shares_kernel:
        return Control("own kernel", "left out", "the host's kernel is shared")
    why = f"whether `{outside.path or outside.runtime}` starts a machine is not known"
    return Control("own kernel", "not seen", why)


def _user(live: Container, process: Process) -> Control:
    name = "non-root user"
    if not process.user:
        return Control(name, "not seen", "its status has no Uid line")
    user = (live.user.value if live.user else "").partition(":")[0]
    if user in ("", "0", "root"):
        return Control(name, "left out", "commands run as root")
    state: State = "not in force" if process.user == "0" else "in force"
    return Control(name, state, f"commands run as user {process.user}")


def _bounding(live: Container, process: Process) -> Control:
    """CapBnd, not CapEff: an ordinary user's effective set is empty whatever root may get."""
    mask = process.status.get("CapBnd")
    if not mask:
        return Control("capabilities", "not seen", "its status has no CapBnd line")
    real = capabilities.names(mask)
    listed = ", ".join(sorted(real)) or "none"
    if live.is_privileged() or not live.drops_all():
        return Control("capabilities", "left out", f"nothing is dropped as a whole: {listed}")
    extra = real - {cap.value for cap in live.cap_add}
    if extra:
        return Control("capabilities", "not in force", f"more than asked for: {sorted(extra)}")
    return Control("capabilities", "in force", f"at most {listed} (CapBnd)")


def _no_new_privileges(live: Container, process: Process) -> Control:
    name = "no-new-privileges"
    line = process.status.get("NoNewPrivs")
    option = live.option(name)
    if option is None or option.value.value == "false":
        return Control(name, "left out", "it was not asked for")
    if line is None:
        return Control(name, "not seen", "its status has no NoNewPrivs line")
    return Control(name, "in force" if line == "1" else "not in force", f"NoNewPrivs is {line}")


def _seccomp(live: Container, process: Process) -> Control:
    line = process.status.get("Seccomp")
    option = live.option("seccomp")
    profile_option = option.value.value if option else ""
    if profile_option == "unconfined" or (live.is_privileged() and not profile_option):
        return Control("seccomp", "left out", "unconfined")
    if line is None:
        return Control("seccomp", "not seen", "its status has no Seccomp line")
    if line == "2":
        profile = _profile_name(profile_option) if profile_option else "the engine's default"
        return Control("seccomp", "in force", f"a filter is loaded (asked for: {profile})")
    return Control("seccomp", "not in force", f"Seccomp is {line}")


def _profile_name(identity: str) -> str:
    """The name of the shipped profile with this hash; the hash itself for another profile."""
    folder = data_path("profiles", "seccomp")
    for file in sorted(os.listdir(folder)):
        if file.endswith(".json") and identity == _identity_of(os.path.join(folder, file)):
            return f"{file}, {identity}"
    return identity


@functools.cache
def _identity_of(path: str) -> str:
    return seccomp_identity(read_source(path).text)


def _app_armor(live: Container, process: Process) -> Control:
    option = live.option("apparmor")
    requested = option.value.value if option else ""
    if not process.label:
        if not requested or requested == "unconfined":
            return Control("AppArmor", "left out", "the kernel gives the process no label")
        lost = f"`{requested}` was asked for, and silently not applied"
        return Control("AppArmor", "not in force", f"{lost}: the kernel gives the process no label")
    if process.label.startswith("unconfined"):
        state: State = "not in force" if requested not in ("", "unconfined") else "left out"
        return Control("AppArmor", state, "the process is unconfined")
    name, _, mode = process.label.partition(" ")
    if requested and name != requested:
        return Control(
            "AppArmor", "not in force", f"`{requested}` was asked for, `{name}` is applied"
        )
    state = "not in force" if mode == "(complain)" else "in force"
    return Control("AppArmor", state, f"the process has the label `{process.label}`")


def _user_namespace(live: Container, process: Process) -> Control:
    name = "user namespace"
    if len(process.user_map) < 3:
        return Control(name, "not seen", "its mapping of users is not shown")
    if process.user_map[:2] != ("0", "0"):
        return Control(name, "in force", f"root inside is user {process.user_map[1]} on the host")
    state: State = "left out" if live.userns is None else "not in force"
    return Control(name, state, "root inside is root on the host")


def _masked_paths(live: Container, process: Process) -> Control:
    name = "masked paths"
    options = {point: flags for point, flags, _ in process.mounts}
    missing: State = "left out" if live.is_privileged() else "not in force"
    if "ro" not in options.get("/proc/sys", ()):
        return Control(name, missing, "/proc/sys is not mounted read-only")
    covered = [path for path in _MASKED if path in options]
    if not covered:
        return Control(name, missing, f"nothing covers {', '.join(_MASKED)}")
    return Control(name, "in force", f"{', '.join(covered)} covered, /proc/sys read-only")


def read_only(live: Container, process: Process) -> list[Control]:
    """One entry for each mount that the engine calls read-only."""
    options = {point: flags for point, flags, _ in process.mounts}
    controls = []
    for value in live.mounts:
        target = value.value.target
        if not value.value.read_only:
            continue
        name = f"read-only {target}"
        if target not in options:
            controls.append(Control(name, "not seen", "it is not among the mounts"))
        elif "ro" in options[target]:
            controls.append(Control(name, "in force", "mounted read-only"))
        else:
            controls.append(Control(name, "not in force", "it is mounted read-write"))
    return controls


def _network(live: Container, process: Process) -> Control:
    requested = asked_network(live)
    if requested.state != "in force" or not process.routes:
        return requested
    ways = ", ".join(sorted({route.split()[0] for route in process.routes}))
    return Control("network", "not in force", f"none was asked for, and there are routes by {ways}")
