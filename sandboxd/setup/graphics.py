"""Whether gVisor can be registered so that it passes NVIDIA's devices on (`setup gvisor --nvproxy`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from sandboxd.host.facts import Nvidia

NVPROXY = "--nvproxy=true"
"""The argument of runsc; sandboxes get a device only where `[devices] gpus` asks for it and the user grants it."""

NOT_GIVEN = "not passed in: devices of AMD and Intel, and devices by a CDI name"


def refuse(nvidia: Nvidia | None) -> None:
    """Refuse a machine without NVIDIA's driver: gVisor would have no device to pass on.

    :raises EnvironmentFailure: there is no driver
    """
    if nvidia is None or not nvidia.driver:
        raise EnvironmentFailure(
            "`--nvproxy` is for NVIDIA's graphics processors, and this machine has no driver of theirs; "
            f"{NOT_GIVEN}",
            "install the driver, or leave `--nvproxy` out",
        )


def words(nvidia: Nvidia, supported: tuple[str, ...] | None) -> tuple[str, ...]:
    """The things that the machine lacks for graphics processors besides the argument, one line each.

    :param supported: the drivers that the build of runsc prints, None where it printed none
    """
    lines = []
    if supported is None:
        lines.append("which drivers this build knows is not known: it printed none")
    elif nvidia.driver not in supported:
        known = ", ".join(supported[-3:])
        lines.append(
            f"this build does not know the driver {nvidia.driver} ({known}): it passes nothing on until it does"
        )
    if not nvidia.toolkit:
        lines.append("NVIDIA's Container Toolkit is not installed, which puts devices in")
    return (*lines, NOT_GIVEN)
