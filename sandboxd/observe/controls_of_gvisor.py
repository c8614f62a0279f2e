"""Controls of a gVisor sandbox: its kernel is a process of the host, so the host sees what it enforces with.

What is inside sees only what that kernel shows it, some of which is not so (`observe.misreports`); what
its own processes are given follows from what the engine was asked for and the flags that it runs with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.model.labels import EGRESS
from sandboxd.observe.control import Control

if TYPE_CHECKING:
    from sandboxd.model.container import Container
    from sandboxd.observe.outside import Outside

_APPLIES = "asked of the engine, and gVisor's kernel applies it"


def controls(live: Container, outside: Outside) -> tuple[Control, ...]:
    """The controls that the runtime and its flags decide."""
    return (
        _runtime(outside),
        _kernel(outside),
        _user(live),
        _capabilities(live),
        _no_new_privileges(live),
        Control(
            "seccomp", "left out", "system calls end in gVisor's kernel; `exec` loads no filter"
        ),
        _app_armor(live),
        Control("user namespace", "left out", "gVisor's kernel maps no user to one of the host"),
        Control("masked paths", "in force", "gVisor's /proc and /sys are its own"),
        *_read_only_mounts(live, outside),
        _directfs(outside),
        _host_sockets(outside),
        network(live),
    )


def network(live: Container) -> Control:
    """The network control, by the engine's settings: no process inside can add a network."""
    mode = live.network.value if live.network else "bridge"
    if mode == "none":
        return Control("network", "in force", "there is none")
    if mode == "host":
        return Control("network", "open", "the host's own")
    if live.label(EGRESS):
        return Control("network", "not seen", "its gateway was not looked at")
    return Control("network", "open", f"`{mode}`: host services and DNS reachable")


def _runtime(outside: Outside) -> Control:
    command = " ".join((outside.path, *outside.arguments))
    running = ", and its kernel is seen to run" if outside.sentry else ""
    why = f"for `{outside.runtime}` the engine starts `{command}`{running}"
    return Control("runtime", "in force", why)


def _kernel(outside: Outside) -> Control:
    if outside.sentry:
        return Control(
            "own kernel", "in force", "the host sees gVisor's kernel as the first process"
        )
    if outside.sees_group:
        why = "the first process on the host is no gVisor kernel"
        return Control("own kernel", "not in force", f"`{outside.path}` is registered, yet {why}")
    return Control("own kernel", "not seen", "the host's /proc is closed here")


def _user(live: Container) -> Control:
    user = (live.user.value if live.user else "").partition(":")[0]
    if user in ("", "0", "root"):
        return Control("non-root user", "left out", "commands run as root")
    if user.isdigit():
        return Control("non-root user", "in force", f"commands run as user {user}")
    return Control("non-root user", "not seen", f"which user `{user}` is, the image says")


def _capabilities(live: Container) -> Control:
    name = "capabilities"
    if live.is_privileged() or not live.drops_all():
        return Control(name, "left out", "nothing is dropped as a whole")
    added = ", ".join(sorted(cap.value for cap in live.cap_add)) or "none"
    return Control(name, "in force", f"at most {added}: {_APPLIES}")


def _no_new_privileges(live: Container) -> Control:
    option = live.option("no-new-privileges")
    if option is None or option.value.value == "false":
        return Control("no-new-privileges", "left out", "it was not asked for")
    return Control("no-new-privileges", "in force", _APPLIES)


def _app_armor(live: Container) -> Control:
    option = live.option("apparmor")
    if option is None or option.value.value == "unconfined":
        return Control("AppArmor", "left out", "it confines no process inside gVisor")
    why = f"`{option.value.value}` was asked for, and gVisor shows no label"
    return Control("AppArmor", "not seen", why)


def _directfs(outside: Outside) -> Control:
    """With directfs the sandbox holds descriptors of the host; it is on unless a flag says otherwise."""
    name = "no directfs"
    if "--directfs=false" in outside.flags:
        by = "the running kernel's flags say" if outside.sentry else "it is registered with"
        return Control(name, "in force", f"{by} `--directfs=false`")
    return Control(name, "not in force", "no flag turns it off")


def _host_sockets(outside: Outside) -> Control:
    how = outside.opens_host_sockets()
    if how:
        return Control("no host sockets", "not in force", f"opened by {how}")
    return Control("no host sockets", "in force", "host-uds is not set")


def _read_only_mounts(live: Container, outside: Outside) -> list[Control]:
    controls = []
    for value in live.mounts:
        mount = value.value
        if not mount.read_only:
            continue
        name = f"read-only {mount.target}"
        if "--directfs=false" in outside.flags:
            controls.append(Control(name, "in force", "mounted read-only, and directfs is off"))
        else:
            why = "under gVisor with directfs a read-only folder can be emptied; run `sandboxd verify`"
            controls.append(Control(name, "not seen", why))
    return controls
