"""A container's settings, in a few words each."""

from __future__ import annotations

import posixpath

from sandboxd.model.container import Container
from sandboxd.model.labels import EGRESS, PROJECT
from sandboxd.plan.container_name import container_name
from sandboxd.plan.lasting import is_copy
from sandboxd.plan.layout import MARK_FOLDER, SOURCE

BY_GATEWAY = "names through the gateway"
"""The value of `network` if a gateway lets names through."""


def settings(container: Container) -> dict[str, str]:
    """Setting -> value; the same settings for a plan and for a container that the engine describes."""
    return {
        "runtime": container.runtime.value if container.runtime else "engine's default",
        "privileged": "yes" if container.is_privileged() else "no",
        "capabilities": _capabilities(container),
        "no-new-privileges": _no_new_privileges(container),
        "seccomp": _option(container, "seccomp"),
        "user": (container.user.value if container.user else "") or "image's",
        "network": network(container),
        "root-filesystem": _root_filesystem(container),
        "workspace": _workspace(container),
    }


def network(container: Container) -> str:
    """A phrase for what the container's network reaches; an ordinary bridge network filters nothing."""
    mode = container.network.value if container.network else "default"
    is_planned_gateway = not container.name and bool(container.label(EGRESS))
    if mode == "none" and not is_planned_gateway:
        return "none"
    if mode == "host":
        return "host: the host's own network, nothing is separated"
    if mode.startswith("container:"):
        return f"{mode}: what that container reaches"
    if container.label(EGRESS):
        return _by_gateway(container, mode)
    return "open: host services and DNS reachable"


def _by_gateway(container: Container, mode: str) -> str:
    """The reach of a container on an inner network, in words: open where that is not its project's own.

    A plan's container has no name yet, and is on its own network.
    """
    if container.name and mode != container_name(container.label(PROJECT)):
        return f"open: on {mode}, which leads past its gateway"
    return BY_GATEWAY


def _capabilities(container: Container) -> str:
    if container.is_privileged():
        return "all (privileged)"
    added = sorted({cap.value for cap in container.cap_add})
    if "ALL" in added:
        return "all"
    if container.drops_all():
        return ", ".join(added) or "none"
    dropped = sorted({cap.value for cap in container.cap_drop})
    text = "engine's default"
    if added:
        text += f" + {', '.join(added)}"
    if dropped:
        text += f" - {', '.join(dropped)}"
    return text


def _no_new_privileges(container: Container) -> str:
    option = container.option("no-new-privileges")
    return "on" if option is not None and option.value.value != "false" else "off"


def _option(container: Container, name: str) -> str:
    option = container.option(name)
    if container.is_privileged() and option is None:
        return "unconfined (privileged)"
    if option is None:
        return "engine's default"
    value = option.value.value
    return "profile" if value.startswith("profile ") or "/" in value else value


def _workspace(container: Container) -> str:
    """The layout in words: the host's folder itself, or a private copy."""
    mounts = [value.value for value in container.mounts]
    if any(mount.target in (SOURCE, MARK_FOLDER) or is_copy(mount.source) for mount in mounts):
        return "a private copy (`sandboxd review` brings changes)"
    top = [mount for mount in mounts if posixpath.dirname(mount.target) == "/workspaces"]
    if any(mount.type in ("volume", "tmpfs") for mount in top):
        return "a copy that is kept the same as the host's folder"
    if any(m.target.startswith("/workspaces/") and m.type != "tmpfs" for m in mounts):
        return "the host's folder"
    return "not known"


def _root_filesystem(container: Container) -> str:
    read_only = container.read_only_rootfs
    return "read-only" if read_only is not None and read_only.value else "writable"
