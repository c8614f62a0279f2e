"""The graphics processors of a sandbox: asked for in sandboxd.toml, granted by the user. Pure.

Decision 56 says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import UsageError
from sandboxd.host.facts import Runtime
from sandboxd.model.control_name import ControlName
from sandboxd.model.gpus import spelling

if TYPE_CHECKING:
    from sandboxd.config.model import Config
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container
    from sandboxd.model.values import Value
    from sandboxd.plan.notes import Notes
    from sandboxd.plan.profiles import Profile
    from sandboxd.plan.runtime import Choice
    from sandboxd.policy.floor import Floor

_RISK = "hooks of NVIDIA's toolkit run on the host for it, and the driver takes orders from inside"
_LEFT_OUT = (
    'it passes a device of the host in: `[devices] gpus = ["all"]` in sandboxd.toml asks for it, and '
    "`sandboxd trust add` grants it"
)
_TOOLKIT = (
    "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/install-guide.html"
)
_GPU = "gpu"
_RUNC = '`runtime = "runc"` in sandboxd.toml, which shares the host\'s kernel'


def names(config: Config) -> tuple[str, ...]:
    """The devices that sandboxd.toml asks for, each once; `all` means every device."""
    return tuple(dict.fromkeys(setting.value for setting in config.devices))


def refuse(
    profile: Profile, config: Config, floor: Floor, trusted: bool, how_to_grant: str
) -> None:
    """Refuse devices that the policy minimum or the profile forbids, or for which the user's grant is missing.

    :param how_to_grant: the hint of the error if only the grant is missing
    :raises UsageError: a device may not be passed in
    """
    if not config.devices:
        return
    take_out = "take `gpus` out of `[devices]` in sandboxd.toml"
    if floor.no_gpus:
        raise UsageError(
            f"sandboxd.toml asks for graphics processors, and `{floor.path_of('gpus')}` forbids them",
            take_out,
        )
    if not profile.gpus:
        raise UsageError(
            f"profile `{profile.name}` has no graphics processors",
            f"{take_out}, or choose another profile",
        )
    if not trusted:
        raise UsageError(
            "sandboxd.toml alone cannot have graphics processors passed in", how_to_grant
        )


def rights(config: Config) -> list[str]:
    """Lines for the user about the devices that a grant gives; [] if none are asked for."""
    if not config.devices:
        return []
    return [f"{', '.join(names(config))}; {_RISK}"]


def gpus(
    config: Config, base: Container | None, choice: Choice, host: HostFacts, notes: Notes
) -> Value[str] | None:
    """The devices to pass in, as the value of `--gpus`; None for none. Each obstacle is noted as a downgrade.

    `config` is limited by policy minimum and grant already. What the hand-written config asks for grants nothing.
    """
    required = base.gpus if base is not None else None
    if not config.devices:
        if required is not None:
            if required.origin.key == "runArgs":
                required = required._replace(written=f"--gpus={required.value}")
            notes.leave_out(required, _LEFT_OUT)
        return None
    is_optional = required is not None and required.written == f"{_GPU}: optional"
    obstacle = _obstacle(choice, host)
    if obstacle is not None:
        why, fix = obstacle
        if is_optional:
            notes.reason("gpus", "none", f"{why}, and `hostRequirements.gpu` is optional", "host")
        else:
            notes.downgrade(ControlName.GPU, f"none is passed in: {why}", fix)
        return None
    if required is not None and required.written.startswith(f"{_GPU}: ") and not is_optional:
        notes.downgrade(
            ControlName.GPU,
            f"`hostRequirements` asks for more of it, not compared: {required.written}",
        )
    notes.downgrade(
        ControlName.GPU,
        _RISK,
        "keep the toolkit at 1.17.8 or newer (CVE-2025-23266), and know the image",
    )
    value = spelling(names(config))
    place = config.devices[0].place
    return notes.value("gpus", value, value, "asked for, and granted", "config", place)


def _obstacle(choice: Choice, host: HostFacts) -> tuple[str, str] | None:
    """The reason why no device can be passed in, and what to do; None where one can."""
    if choice.gvisor:
        return why_not_under_gvisor(choice.build or Runtime(choice.name, ""), host)
    return why_not_under_runc(host)


def why_not_under_runc(host: HostFacts) -> tuple[str, str] | None:
    """The reason why the engine cannot pass devices to a container of runc, and the next step; None if it can."""
    if host.engine is not None and host.engine.runtime("nvidia") is not None:
        return None
    if host.nvidia is None:
        why = "whether the engine's machine has NVIDIA's driver and toolkit is not seen from here"
        return why, f"register the toolkit's runtime `nvidia` with the engine: {_TOOLKIT}"
    if not host.nvidia.driver:
        return "this machine has no driver of NVIDIA's", "install it, then `sandboxd doctor`"
    if not host.nvidia.toolkit:
        return "NVIDIA's Container Toolkit is not installed", f"install it: {_TOOLKIT}"
    return None


def why_not_under_gvisor(build: Runtime, host: HostFacts) -> tuple[str, str] | None:
    """The reason why gVisor would not pass devices on, and the next step; None if it does."""
    if without := why_not_under_runc(host):
        return without
    if build.flag("nvproxy") not in ("", "true"):
        return (
            f"`{build.name}` is registered without `--nvproxy`",
            f"`sudo sandboxd setup gvisor --apply --nvproxy` registers it so; or {_RUNC}",
        )
    driver = host.nvidia.driver if host.nvidia is not None else ""
    if build.nvproxy_drivers is None or not driver:
        return f"which drivers `{build.name}` knows is not seen from here", f"set {_RUNC}"
    if driver not in build.nvproxy_drivers:
        known = ", ".join(build.nvproxy_drivers[-3:]) or "none"
        return (
            f"`{build.name}` does not know the driver {driver}",
            f"install one that it knows ({known}: `{build.path} nvproxy list-supported-drivers`), "
            f"a newer gVisor (`sudo sandboxd setup gvisor --update`), or set {_RUNC}",
        )
    return None
