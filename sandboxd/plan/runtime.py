"""The choice of the runtime: the one function that decides, and says why."""

from __future__ import annotations

from typing import NamedTuple

from sandboxd.config import Setting
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.host.facts import HostFacts, Runtime
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.platforms import platform_of

_ALLOW_RUNC = "or accept that the host's kernel is shared, with `--allow-runc`"


class Choice(NamedTuple):
    """`name` is '' for the engine's default. `plain_pins_hold`: see `plan.mounts`."""

    name: str
    gvisor: bool
    plain_pins_hold: bool
    why: str
    decided_by: str


def choose(
    profile: Profile, asked: Setting[str], host: HostFacts, allow_runc: bool, notes: Notes
) -> Choice:
    """The runtime for `profile` on `host`.

    `allow_runc` is the user's grant, made outside the repository, for profiles that need gVisor.

    :raises EnvironmentFailure: what the profile or the config needs is not usable here
    :raises UsageError: the config asks for a runtime that the profile does not allow
    """
    best = host.proven_gvisor()
    if asked.value == "runc":
        return _asked_for_runc(profile, host, best, allow_runc, notes)
    if best is not None:
        why = _why_gvisor(best)
        return Choice(best.name, True, best.directfs_off(), why, _decider(asked, "gvisor"))
    why, fix = platform_of(host).why_no_gvisor(host)
    if asked.value == "gvisor":
        raise EnvironmentFailure(f"sandboxd.toml asks for gVisor, but {why}", fix)
    if profile.gvisor == "required" and not allow_runc:
        raise EnvironmentFailure(
            f"profile `{profile.name}` needs gVisor, but {why}", f"{fix}, {_ALLOW_RUNC}"
        )
    notes.downgrade("gVisor", f"{why}: the sandbox shares the host's kernel", fix)
    return _runc(host, f"{why}; runc with all other controls of the profile", "host")


def _asked_for_runc(
    profile: Profile, host: HostFacts, best: Runtime | None, allow_runc: bool, notes: Notes
) -> Choice:
    if profile.gvisor == "required" and not allow_runc:
        raise UsageError(
            f"profile `{profile.name}` needs gVisor, and sandboxd.toml asks for `runc`",
            f'set `runtime = "auto"`, {_ALLOW_RUNC}',
        )
    seen = f" although `{best.name}` is usable here" if best else ""
    notes.downgrade(
        "gVisor",
        f"sandboxd.toml asks for runc{seen}: the sandbox shares the host's kernel",
        'set `runtime = "auto"` in sandboxd.toml',
    )
    return _runc(host, "asked for", "config")


def _runc(host: HostFacts, why: str, decided_by: str) -> Choice:
    engine = host.engine
    if engine is None or engine.error or not engine.runtimes:
        return Choice("runc", False, True, why, decided_by)
    runc = engine.runtime("runc")
    if runc is None:
        name = engine.default_runtime or ""
        return Choice(name, False, True, f"{why}; this engine has no runtime named runc", "host")
    if runc.usable is False:
        raise EnvironmentFailure(f"runc cannot start a container: {runc.why}", runc.fix)
    return Choice("runc", False, True, why, decided_by)


def _decider(asked: Setting[str], wanted: str) -> str:
    return "config" if asked.value == wanted else "host"


def _why_gvisor(runtime: Runtime) -> str:
    version = f" {runtime.version}" if runtime.version else ""
    return f"gVisor{version} started a container here and ran its own kernel in it"
