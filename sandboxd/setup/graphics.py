"""Whether gVisor can be registered with access to NVIDIA's devices (`setup gvisor --nvproxy`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from sandboxd.host.facts import Nvidia

NVPROXY = "--nvproxy=true"
"""The argument of runsc. A sandbox still gets a device only if `[devices] gpus` asks for it and the user grants it."""

NOT_GIVEN = "not passed in: devices of AMD and Intel, and devices by a CDI name"


def refuse(nvidia: Nvidia | None) -> None:
    """Refuse a machine without NVIDIA's driver, as gVisor would have no device to pass on.

    :raises EnvironmentFailure: there is no driver
    """
    if nvidia is None or not nvidia.driver:
        raise EnvironmentFailure(
            "`--nvproxy` is for NVIDIA's graphics processors, and this machine has no driver of theirs; "
            f"{NOT_GIVEN}",
            "install the driver, or leave `--nvproxy` out",
        )


def words(nvidia: Nvidia, supported: tuple[str, ...] | None) -> tuple[str, ...]:
    """Sentences about what the machine lacks for graphics processors besides that argument.

    :param supported: the driver versions that this build of runsc lists; None if it lists none
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
