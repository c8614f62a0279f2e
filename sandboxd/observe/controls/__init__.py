"""The controls of a running container, and whether each is in force: one file for each, one word for each state.

Three say something of a container, and are believed in this order. The host sees its first process (runc)
or the sandbox's own kernel with its flags (gVisor); a process can only take from itself what it was given,
so what it shows counts where the engine was asked for the same. The engine says what was asked for. The
image's own programs may lie, so what they show can take a claim back and never makes one.
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
    """A module of this folder. Most kinds are one control; mounts are one for each."""

    NAME: str
    """Of its control; where there are more, their names go on after it and a space."""
    PLACE: int
    """The place in lists: lower first."""
    PROOF: tuple[str, ...]
    """Attempts of `verify` that would succeed without it: they show it where nothing else does."""

    def on_linux(self, sight: Sight) -> tuple[Control, ...]:
        """The controls of a container on the host's kernel; () where there is no such control.

        A process can take rights from itself, load a filter or change its user, and what `exec` starts
        beside it would not have that. So what is seen counts only where the engine was asked for the same.
        """

    def under_gvisor(self, sight: Sight) -> tuple[Control, ...]:
        """The controls of a gVisor sandbox: the host sees its kernel as a process, and the flags of it.

        Inside is seen only what that kernel shows, some of which is not so (`observe.misreports`).
        """

    def contradictions(self, sight: Sight, inside: Process) -> dict[str, str]:
        """Words for what the image's own programs show against a control, by its name."""


@functools.cache
def kinds() -> tuple[ControlKind, ...]:
    """All kinds of controls, in the order of lists."""
    names = [name for name in os.listdir(os.path.dirname(__file__)) if not name.startswith("_")]
    modules = [
        cast("ControlKind", import_module(f"{__name__}.{name[:-3]}"))
        for name in sorted(names)
        if name.endswith(".py")
    ]
    return tuple(sorted(modules, key=lambda kind: kind.PLACE))


def proof_of(name: str) -> tuple[str, ...]:
    """The attempts of `verify` that show the control `name` where nothing else does."""
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
    :param process: its main process as the host or an observer of ours sees it, None where neither can
    :param outside: what the host and the engine say of its runtime and limits
    :param inside: what the image's own programs show, None where they were not asked
    :param host_boot_id: '' where it is hidden
    """
    sight = Sight(live, process, outside, host_boot_id)
    entries = tuple(
        control
        for kind in kinds()
        for control in (kind.under_gvisor(sight) if outside.is_gvisor else kind.on_linux(sight))
    )
    return entries if inside is None else _lower(entries, sight, inside)


def without_lost(controls: Iterable[Control], pins: Iterable[Pin]) -> tuple[Control, ...]:
    """`controls`, with those for mounts that were lost since they were seen not in force.

    A lost mount that is no control by itself, such as one around a pin, is one from then on.
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
