"""Observations by the image's own programs: they take claims back, and make none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.model import capabilities
from sandboxd.model.labels import EGRESS
from sandboxd.observe.control import Control
from sandboxd.observe.controls_of_linux import read_only

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.model.container import Container
    from sandboxd.observe.outside import Outside
    from sandboxd.observe.process import Process

_DEFAULT_ROUTE = " 00000000"


def lower(
    controls: Iterable[Control],
    live: Container,
    inside: Process,
    outside: Outside,
    host_boot_id: str,
) -> tuple[Control, ...]:
    """The controls; those that the inside contradicts are not in force."""
    against = _against(live, inside, outside, host_boot_id)
    return tuple(
        Control(control.name, "not in force", f"inside it shows: {against[control.name]}")
        if control.state in ("in force", "not seen") and control.name in against
        else control
        for control in controls
    )


def _against(
    live: Container, inside: Process, outside: Outside, host_boot_id: str
) -> dict[str, str]:
    """The contradicting observation by control. gVisor never shows a filter or NoNewPrivs inside."""
    contradictions = {}
    if outside.is_gvisor:
        if inside.boot_id and inside.boot_id == host_boot_id:
            contradictions["own kernel"] = "boot_id is the host's"
        if any("directfs" in file_system for _, _, file_system in inside.mounts):
            contradictions["no directfs"] = "a mount says `directfs`"
    else:
        if inside.status.get("NoNewPrivs") == "0":
            contradictions["no-new-privileges"] = "NoNewPrivs is 0"
        if inside.status.get("Seccomp") in ("0", "1"):
            contradictions["seccomp"] = f"Seccomp is {inside.status['Seccomp']}"
    if inside.user == "0":
        contradictions["non-root user"] = "commands run as root"
    contradictions |= _capabilities(live, inside)
    # Beside a gateway there is one network, and no way beyond it.
    ways = [r for r in inside.routes if not live.label(EGRESS) or r.endswith(_DEFAULT_ROUTE)]
    if ways:
        contradictions["network"] = f"a route by {ways[0].split()[0]}"
    contradictions |= {c.name: c.why for c in read_only(live, inside) if c.state == "not in force"}
    return contradictions


def _capabilities(live: Container, inside: Process) -> dict[str, str]:
    try:
        real = capabilities.names(inside.status.get("CapBnd", "0"))
    except ValueError:
        return {}
    extra = sorted(real - {cap.value for cap in live.cap_add})
    return {"capabilities": f"more than asked for: {extra}"} if extra else {}
