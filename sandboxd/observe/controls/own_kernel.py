"""A kernel of the sandbox's own: gVisor's, or that of a virtual machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.observe.control import Control

if TYPE_CHECKING:
    from sandboxd.observe.controls._sight import Sight
    from sandboxd.observe.process import Process


NAME = "own kernel"
PLACE = 20
PROOF: tuple[str, ...] = ()


def on_linux(sight: Sight) -> tuple[Control, ...]:
    outside = sight.outside
    if outside.shares_kernel:
        return (Control(NAME, "left out", "the host's kernel is shared"),)
    why = f"whether `{outside.path or outside.runtime}` starts a machine is not known"
    return (Control(NAME, "not seen", why),)


def under_gvisor(sight: Sight) -> tuple[Control, ...]:
    outside = sight.outside
    if outside.sentry:
        why = "the host sees gVisor's kernel as the first process"
        return (Control(NAME, "in force", why),)
    if outside.sees_group:
        why = "the first process on the host is no gVisor kernel"
        return (Control(NAME, "not in force", f"`{outside.path}` is registered, yet {why}"),)
    return (Control(NAME, "not seen", "the host's /proc is closed here"),)


def contradictions(sight: Sight, inside: Process) -> dict[str, str]:
    is_hosts = inside.boot_id and inside.boot_id == sight.host_boot_id
    return {NAME: "boot_id is the host's"} if sight.outside.is_gvisor and is_hosts else {}
