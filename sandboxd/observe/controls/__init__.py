"""The security controls of a running container, and the state of each: one file for each control.

There are three sources, trusted in this order. The host sees the container's first process (runc) or the sandbox's own
kernel with its flags (gVisor); as a process can drop its own rights, this only counts if the engine was asked for the
same. The engine says what was asked for. The image's own programs may lie, so what they show can only turn a control to
"not in force", never to "in force".
"""

from __future__ import annotations

import functools
import os
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from sandboxd.observe.control import Control
from sandboxd.observe.controls._sight import Sight

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.model.container import Container
    from sandboxd.observe.outside import Outside
    from sandboxd.observe.pin import Pin
    from sandboxd.observe.process import Process


class ControlKind(Protocol):
    """A module of this folder, for one control; that for mounts has one control for each mount."""

    NAME: str
    """The control's name; if the module has several controls, the prefix of their names, followed by a space."""
    PLACE: int
    """The position in lists: lower first."""
    PROOF: tuple[str, ...]
    """Attempts of `verify` that would succeed without the control: their results prove it where it cannot be observed.
    """

    def on_linux(self, sight: Sight) -> tuple[Control, ...]:
        """The controls of a container on the host's kernel; () if there is none.

        A process can drop its own rights, load a filter or change its user, and a process that `exec` starts would not
        have that. So an observation only counts if the engine was asked for the same.
        """

    def under_gvisor(self, sight: Sight) -> tuple[Control, ...]:
        """The controls of a gVisor sandbox, of which the host sees the kernel's process and its flags.

        Inside, only the reports of that kernel are visible, some of which are wrong (`observe.misreports`).
        """

    def contradictions(self, sight: Sight, inside: Process) -> dict[str, str]:
        """Reasons against a control, by its name, that the image's own programs show; {} for none."""


@functools.cache
def kinds() -> tuple[ControlKind, ...]:
    """All modules of controls, in the order of lists."""
    names = [name for name in os.listdir(os.path.dirname(__file__)) if not name.startswith("_")]
    modules = [
        cast("ControlKind", import_module(f"{__name__}.{name[:-3]}"))
        for name in sorted(names)
        if name.endswith(".py")
    ]
    return tuple(sorted(modules, key=lambda kind: kind.PLACE))


def proof_of(name: str) -> tuple[str, ...]:
    """The attempts of `verify` that prove the control `name` where it cannot be observed."""
    for kind in kinds():
        if name == kind.NAME or name.startswith(f"{kind.NAME} "):
            return kind.PROOF
    return ()


def controls(
    live: Container,
    process: Process | None,
    outside: Outside,
    inside: Process | None = None,
    host_boot_id: str = "",
) -> tuple[Control, ...]:
    """The controls of a running container.

    :param live: the engine's description, as `observe.inspection` reads it
    :param process: its main process as the host, or an observer container of ours, sees it; None if neither can
    :param outside: what the host and the engine show of its runtime and limits
    :param inside: what the image's own programs show; None if they were not run
    :param host_boot_id: the host's boot id; '' if it cannot be read
    """
    sight = Sight(live, process, outside, host_boot_id)
    entries = tuple(
        control
        for kind in kinds()
        for control in (kind.under_gvisor(sight) if outside.is_gvisor else kind.on_linux(sight))
    )
    return entries if inside is None else _lower(entries, sight, inside)


def without_lost(controls: Iterable[Control], pins: Iterable[Pin]) -> tuple[Control, ...]:
    """`controls`, with those whose mount is lost by now set to "not in force".

    A lost mount for which there is no control gets one.
    """
    lost = {pin.target: pin for pin in pins if pin.is_lost}
    updated = []
    for control in controls:
        pin = lost.pop(control.name.removeprefix("read-only "), None)
        updated.append(control if pin is None else _of_lost(control.name, pin))
    return (*updated, *(_of_lost(f"mount {target}", pin) for target, pin in lost.items()))


def _of_lost(name: str, pin: Pin) -> Control:
    why = f"`{pin.name}` on the host: {pin.why} (known by {pin.witness.value})"
    return Control(name, "not in force", why)


def _lower(controls: Iterable[Control], sight: Sight, inside: Process) -> tuple[Control, ...]:
    """`controls`, with those set to not in force that the inside contradicts."""
    against: dict[str, str] = {}
    for kind in kinds():
        against |= kind.contradictions(sight, inside)
    return tuple(
        Control(control.name, "not in force", f"inside it shows: {against[control.name]}")
        if control.state in ("in force", "not seen") and control.name in against
        else control
        for control in controls
    )
