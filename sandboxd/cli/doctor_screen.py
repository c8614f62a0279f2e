"""The screen and the JSON of `sandboxd doctor`."""

from __future__ import annotations

from typing import Any

from sandboxd.cli.terminal import BOLD, DIM, GREEN, RED, YELLOW, paint, printable
from sandboxd.host.facts import Engine, HostFacts, Runtime
from sandboxd.platforms import platform_of


def render(facts: HostFacts) -> str:
    """Verdict first, then runtimes and controls, then at most three commands."""
    lines = [_verdict(facts), ""]
    engine = facts.engine
    lines.append(_host_line(facts))
    if engine is not None and not engine.error:
        lines += [_engine_line(engine), "", *_runtimes(engine), "", *_controls(facts)]
    advice = platform_of(facts).advice(facts)
    for reason in advice.limits:
        lines += ["", printable(reason)]
    if advice.steps:
        lines += ["", paint("next:", BOLD)]
        lines += [f"  {printable(step)}" for step in advice.steps[:3]]
    return "\n".join(lines)


def _verdict(facts: HostFacts) -> str:
    engine = facts.engine
    if engine is None or engine.error:
        why = engine.error if engine is not None else "the engine was not asked"
        return paint(f"no sandbox can run here: {printable(why)}", RED, BOLD)
    gvisor = facts.usable_gvisor()
    if gvisor is not None:
        head = paint(f"gVisor: usable (`{printable(gvisor.name)}`)", GREEN, BOLD)
        if gvisor.directfs_off():
            return head
        return f"{head}, with pins made by volumes since directfs is on"
    why = platform_of(facts).why_no_gvisor(facts).why
    return paint(f"gVisor: not usable: {printable(why)}", YELLOW, BOLD)


def _host_line(facts: HostFacts) -> str:
    parts = [facts.system or "unknown system", facts.kernel or "", facts.arch or ""]
    return "host     " + printable(", ".join(part for part in parts if part))


def _engine_line(engine: Engine) -> str:
    parts = [
        f"{engine.kind or 'engine'} {engine.version or 'of unknown version'}",
        engine.os or "",
        "rootless" if engine.rootless else "",
        engine.host,
    ]
    return "engine   " + printable(", ".join(part for part in parts if part))


def _runtimes(engine: Engine) -> list[str]:
    if not engine.runtimes:
        return ["runtime  the engine names none"]
    width = max(len(runtime.name) for runtime in engine.runtimes)
    lines = []
    for runtime in engine.runtimes:
        mark, text = _runtime_state(runtime)
        name = printable(runtime.name).ljust(width)
        details = " ".join([runtime.version or "", *runtime.args]).strip()
        lines.append(
            f"runtime  {name}  {mark}  {printable(text)}  {paint(printable(details), DIM)}".rstrip()
        )
        if runtime.fix:
            lines.append(f"         {' ' * width}  fix: {printable(runtime.fix)}")
    return lines


def _runtime_state(runtime: Runtime) -> tuple[str, str]:
    if runtime.usable is None:
        return paint("?", YELLOW), runtime.why
    if not runtime.usable:
        return paint("no", RED), runtime.why
    if runtime.gvisor:
        pins = "directfs off" if runtime.directfs_off() else "directfs on"
        return paint("yes", GREEN), f"gVisor's kernel seen inside, {pins}"
    return paint("yes", GREEN), "the host's kernel seen inside"


def _controls(facts: HostFacts) -> list[str]:
    engine = facts.engine
    limits = "enforced"
    if engine is not None and engine.rootless and facts.cgroup_version == "1":
        limits = "not enforced: a rootless engine on cgroup version 1"
    rows = (
        ("seccomp", _known(facts.seccomp)),
        ("AppArmor", _known(facts.apparmor)),
        ("cgroups", f"version {facts.cgroup_version or 'unknown'}, limits {limits}"),
        ("egress", "not limited: profiles without a network have none, the others an open one"),
    )
    return [f"control  {name:<8}  {text}" for name, text in rows]


def _known(value: bool | None) -> str:
    if value is None:
        return "unknown"
    return "available" if value else "not offered by this engine"


def as_json(facts: HostFacts) -> dict[str, Any]:
    """The facts with every field, and the judgement of each runtime."""
    data: dict[str, Any] = {"version": 1, **facts._asdict()}
    engine = facts.engine
    data["engine"] = None
    data["runtimes"] = []
    if engine is not None:
        data["engine"] = {k: v for k, v in engine._asdict().items() if k != "runtimes"}
        data["runtimes"] = [
            {"runtime": runtime.name, **runtime._asdict()} for runtime in engine.runtimes
        ]
    best = facts.usable_gvisor()
    data["gvisor"] = best.name if best is not None else None
    data["why_no_gvisor"] = "" if best is not None else platform_of(facts).why_no_gvisor(facts).why
    data["next"] = list(platform_of(facts).advice(facts).steps[:3])
    return data
