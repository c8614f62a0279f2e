"""The choice of the runtime: the one function that decides, and says why.

The planner and `sandboxd recommend` both ask `decide`: what is recommended is what is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from sandboxd.config.model import Setting
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.host.facts import PINS, HostFacts, Runtime
from sandboxd.host.platforms import platform_of
from sandboxd.model.control_name import ControlName
from sandboxd.plan.notes import Notes
from sandboxd.plan.profiles import Profile
from sandboxd.plan.reasons import Downgrade

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALLOW_RUNC = "or accept that the host's kernel is shared, with `--allow-runc`"

Refused = Literal["", "config", "host"]


class Choice(NamedTuple):
    """The chosen runtime.

    `name` is its name in the engine, '' for the engine's default; `plain_pins_hold`: see `plan.mounts`.
    """

    name: str
    gvisor: bool
    plain_pins_hold: bool
    why: str
    decided_by: str
    build: Runtime | None = None
    """The gVisor runtime with the results of its trials; None for other runtimes."""

    @property
    def keeps_mount_points(self) -> bool:
        """Whether no program inside can move a mounted path away; under runc the seccomp filter prevents it."""
        return not self.gvisor or (self.build is not None and self.build.keeps_mount_points())

    @property
    def filters_exec(self) -> bool:
        """Whether the seccomp filter also applies to processes that `exec` starts."""
        return not self.gvisor or (self.build is not None and self.build.holds("exec_filter"))


class Decision(NamedTuple):
    """The runtime with its downgrades, or the reason why there is none.

    `choice` is None if nothing may run: then `refused` says whether the config or the host is the cause, `why` is the
    reason, and `fix` the next step.
    """

    choice: Choice | None
    downgrades: tuple[Downgrade, ...] = ()
    refused: Refused = ""
    why: str = ""
    fix: str = ""


def choose(
    profile: Profile, setting: Setting[str], host: HostFacts, allow_runc: bool, notes: Notes
) -> Choice:
    """The runtime for `profile` on `host`; its downgrades are noted.

    :param allow_runc: the user's grant to use runc for a profile that needs gVisor
    :raises EnvironmentFailure: what the profile or the config needs does not work here
    :raises UsageError: the config asks for a runtime that the profile does not allow
    """
    decision = decide(profile, setting.value, host, allow_runc)
    notes.downgrades += decision.downgrades
    if decision.choice is not None:
        if decision.choice.build is not None:
            _say_build(decision.choice.build, notes)
        return decision.choice
    kind = UsageError if decision.refused == "config" else EnvironmentFailure
    raise kind(decision.why, decision.fix)


def decide(profile: Profile, setting: str, host: HostFacts, allow_runc: bool = False) -> Decision:
    """The runtime for `profile` on `host`.

    `setting` is a value of `runtime` in sandboxd.toml: ``auto``, ``gvisor`` or ``runc``; `allow_runc` is the user's
    grant to use runc for a profile that needs gVisor.
    """
    best = host.proven_gvisor()
    if setting == "runc":
        return _decide_runc(profile, host, best, allow_runc)
    if setting == "auto" and profile.gvisor == "on request":
        return _runc(host, "the profile shares the host's kernel", f"profile {profile.name}", None)
    if best is not None:
        decider = "config" if setting == "gvisor" else "host"
        choice = Choice(best.name, True, best.pins_hold(), _why_gvisor(best), decider, best)
        return Decision(choice)
    why, fix = platform_of(host).why_no_gvisor(host)
    if setting == "gvisor":
        return Decision(None, (), "host", f"gVisor is asked for, but {why}", fix)
    if profile.gvisor == "required" and not allow_runc:
        needs = f"profile `{profile.name}` needs gVisor, but {why}"
        return Decision(None, (), "host", needs, f"{fix}, {_ALLOW_RUNC}")
    downgrade = Downgrade(ControlName.GVISOR, f"{why}: the sandbox shares the host's kernel", fix)
    return _runc(host, f"{why}; runc with all other controls of the profile", "host", downgrade)


def _decide_runc(
    profile: Profile, host: HostFacts, best: Runtime | None, allow_runc: bool
) -> Decision:
    if profile.gvisor == "required" and not allow_runc:
        return Decision(
            None,
            (),
            "config",
            f"profile `{profile.name}` needs gVisor, and sandboxd.toml asks for `runc`",
            f'set `runtime = "auto"`, {_ALLOW_RUNC}',
        )
    although = f" although `{best.name}` is usable here" if best else ""
    downgrade = Downgrade(
        ControlName.GVISOR,
        f"sandboxd.toml asks for runc{although}: the sandbox shares the host's kernel",
        'set `runtime = "auto"` in sandboxd.toml',
    )
    return _runc(host, "asked for", "config", downgrade)


def _runc(host: HostFacts, why: str, decided_by: str, downgrade: Downgrade | None) -> Decision:
    engine = host.engine
    downgrades = (downgrade,) if downgrade is not None else ()
    if engine is None or engine.error or not engine.runtimes:
        return Decision(Choice("runc", False, True, why, decided_by), downgrades)
    runc = engine.runtime("runc")
    if runc is None:
        name = engine.default_runtime or ""
        own = engine.runtime(name.rpartition("/")[2])
        if own is not None and own.usable is False:
            cannot = f"`{own.name}` cannot start a container: {own.why}"
            return Decision(None, downgrades, "host", cannot, own.fix)
        why = f"{why}; this engine has no runtime named runc"
        return Decision(Choice(name, False, True, why, "host"), downgrades)
    if runc.usable is False:
        cannot = f"runc cannot start a container: {runc.why}"
        return Decision(None, downgrades, "host", cannot, runc.fix)
    return Decision(Choice("runc", False, True, why, decided_by), downgrades)


def _why_gvisor(runtime: Runtime) -> str:
    version = f" {runtime.version}" if runtime.version else ""
    return f"gVisor{version} started a container here and ran its own kernel in it"


def _say_build(build: Runtime, notes: Notes) -> None:
    """Note what follows for the plan from this build of gVisor."""
    for item, why in _of_build(build):
        notes.reason("runtime", item, why, "host")


def _of_build(build: Runtime) -> Iterator[tuple[str, str]]:
    """The consequence of each premise that was tried, and what the trial showed."""
    if not build.premises:
        yield "premises of gVisor", f"none counts: {build.premises_untried or 'not tried'}"
        return
    details = {premise.name: premise.detail for premise in build.premises}
    failed = [details[name] for name in PINS if name in details and not build.holds(name)]
    binds = "; ".join(failed) or "read-only binds held in a trial"
    if build.directfs_off():
        yield "directfs off", f"`{build.name}` is registered so; {binds}"
    elif build.pins_hold():
        yield "directfs on", f"{binds}, so the faster way to files is used"
    else:
        yield "directfs on", f"folders are pinned by volumes: {binds}"
    own = build.holds("own_network")
    network = "gVisor's own network" if own else "the network of the host's kernel"
    yield network, details.get("own_network") or "not tried"
    counts = "counts" if build.holds("exec_filter") else "does not count"
    yield f"seccomp {counts} in `exec`", details.get("exec_filter") or "not tried"
