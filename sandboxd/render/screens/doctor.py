"""The screen and the JSON of `sandboxd doctor`."""

from __future__ import annotations

from typing import Any

from sandboxd.errors import UsageError
from sandboxd.host.advisories.versions import LABELS, Warned, warnings
from sandboxd.host.facts import (
    WITH_RULES_AGAIN,
    WITHOUT_RULES,
    WITHOUT_RULES_MEANS,
    Engine,
    HostFacts,
    Nvidia,
    Runtime,
)
from sandboxd.host.facts.builds import UPDATE, shortfall
from sandboxd.host.platforms import name_of, platform_of, why_no_gateway, why_nothing_starts
from sandboxd.plan.gpus import why_not_under_gvisor, why_not_under_runc
from sandboxd.screen import row, wrap
from sandboxd.terminal import BOLD, DIM, GREEN, RED, YELLOW, paint, printable

_STOPPED_BY_POLICY = ("sandboxd init", "sandboxd up", "sandboxd verify")


def render(facts: HostFacts, policy: UsageError | None = None) -> str:
    """The screen: the verdict, then runtimes and controls, then at most three commands.

    :param policy: the fault of the policy, which stops every start; None for none
    """
    lines = [_verdict(facts), ""]
    engine = facts.engine
    lines.append(_host_line(facts))
    if engine is not None and not engine.error:
        lines += [_engine_line(engine), "", *_runtimes(engine), *_premises(engine)]
        lines += ["", *_controls(facts)]
    for line in _old_build(facts):
        lines += ["", printable(line)]
    lines += _warnings(facts)
    advice = platform_of(facts).advice(facts)
    for reason in advice.limits:
        lines += ["", printable(reason)]
    if policy is not None:
        lines += ["", printable(_stopped(policy))]
    if steps := _steps(advice.steps, policy):
        lines += ["", paint("next:", BOLD)]
        lines += [f"  {printable(step)}" for step in steps[:3]]
    return "\n".join(lines)


def brief(
    facts: HostFacts, columns: int, has_config: bool = False, policy: UsageError | None = None
) -> str:
    """The short screen: usable or not, then what to do, the most useful first; the rest is behind a flag.

    :param has_config: there is a sandboxd.toml already, so none has to be made
    :param policy: as in `render`
    """
    advice = platform_of(facts).advice(facts)
    steps = _steps(advice.steps, policy)
    steps = tuple(step for step in steps if not (has_config and step == "sandboxd init"))
    lines = wrap(_verdict(facts), columns)
    for number, step in enumerate(steps[:3], 1):
        lines += row(str(number), printable(step), columns, 2)
    if policy is not None:
        lines += row("policy", printable(_stopped(policy)), columns, 9)
    if _without_rules(facts):
        text = f"{WITHOUT_RULES}: {WITHOUT_RULES_MEANS}; {WITH_RULES_AGAIN}"
        lines += row("problem", text, columns, 9)
    for reason in advice.limits:
        lines += row("limit", printable(reason), columns, 9)
    for line in _old_build(facts):
        lines += row("gVisor", printable(line), columns, 9)
    for warned in warnings(facts):
        if not warned.condition:
            text = f"{LABELS[warned.component]} {warned.version}: {', '.join(warned.advisory.ids)}"
            fixed = f"; repaired in {warned.repaired}" if warned.repaired else ""
            lines += row("way out", printable(text + fixed), columns, 9)
    lines.append("all that was seen: `sandboxd doctor --long`")
    return "\n".join(lines)


def _stopped(policy: UsageError) -> str:
    return f"no sandbox starts: {policy.message}"


def _steps(steps: tuple[str, ...], policy: UsageError | None) -> tuple[str, ...]:
    """The platform's next `steps`; with a faulty policy, to mend it in place of those that it stops."""
    if policy is None:
        return steps
    left = (step for step in steps if not step.endswith(_STOPPED_BY_POLICY))
    return (f"mend the policy: {policy.hint}", *left)


def _verdict(facts: HostFacts) -> str:
    engine = facts.engine
    if engine is None or engine.error:
        why = engine.error if engine is not None else "the engine was not asked"
        return paint(f"no sandbox can run here: {printable(why)}", RED, BOLD)
    if (nothing := why_nothing_starts(facts)) is not None:
        return paint(f"no sandbox can run here: {printable(nothing.why)}", RED, BOLD)
    gvisor = facts.usable_gvisor()
    if gvisor is not None:
        head = paint(f"gVisor: usable (`{printable(gvisor.name)}`)", GREEN, BOLD)
        if gvisor.pins_hold():
            return head
        return (
            f"{head}, with pins made by volumes since plain read-only folders were not seen to hold"
        )
    why = platform_of(facts).why_no_gvisor(facts).why
    return paint(f"gVisor: not usable: {printable(why)}", YELLOW, BOLD)


def _old_build(facts: HostFacts) -> list[str]:
    """The things that are weaker and slower under the build in use, and the command that installs a newer one."""
    gvisor = facts.usable_gvisor()
    weaker = shortfall(gvisor) if gvisor is not None else ""
    return [f"{weaker}; `{UPDATE}`"] if weaker else []


def _host_line(facts: HostFacts) -> str:
    parts = [
        facts.system or "unknown system",
        facts.distribution or "",
        facts.kernel or "",
        facts.arch or "",
        f"in a virtual machine ({facts.hypervisor})" if facts.hypervisor else "",
    ]
    platform = f"  {paint(platform_of(facts).TITLE, DIM)}"
    return "host     " + printable(", ".join(part for part in parts if part)) + platform


def _engine_line(engine: Engine) -> str:
    parts = [
        f"{engine.kind or 'engine'} {engine.version or 'of unknown version'}",
        engine.os or "",
        "rootless" if engine.rootless else "",
        f"root inside is user {engine.root_outside[0]} outside" if engine.root_outside else "",
        f"{engine.host} (context {engine.context})" if engine.context else engine.host,
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
        if not runtime.pins_hold():
            pins += ", read-only folders were not seen to hold"
        return paint("yes", GREEN), f"gVisor's kernel seen inside, {pins}"
    return paint("yes", GREEN), "the host's kernel seen inside"


def _premises(engine: Engine) -> list[str]:
    """Lines with the premises that each gVisor runtime was seen to hold, and what follows from them."""
    from sandboxd.host import premises

    modules = premises.load()
    lines = []
    for runtime in engine.runtimes:
        if not (runtime.gvisor and runtime.usable):
            continue
        lines += ["", f"tried with {printable(runtime.name)}"]
        if not runtime.premises:
            lines.append(f"  nothing, so nothing counts: {printable(runtime.premises_untried)}")
        for premise in runtime.premises:
            module = modules.get(premise.name)
            mark = paint("holds", GREEN) if premise.holds else paint("fails", RED)
            title = module.TITLE if module is not None else premise.name
            lines.append(f"  {mark}  {printable(title)}: {printable(premise.detail)}")
            if module is not None:
                lines.append(f"         {module.PLAN[not premise.holds]}")
    return lines


def _controls(facts: HostFacts) -> list[str]:
    rows = [
        ("seccomp", _seccomp(facts)),
        ("AppArmor", _yes_or_no(facts.apparmor)),
        ("SELinux", facts.selinux or "unknown"),
        ("user namespaces", _user_namespaces(facts)),
        ("limits", _limits(facts)),
        ("egress", _egress(facts)),
    ]
    if facts.nvidia is not None and facts.nvidia.driver:
        rows.append(("GPU", _gpu(facts, facts.nvidia)))
    hidden = {"SELinux"} if facts.selinux in (None, "disabled") else set()
    if facts.engine is not None and facts.engine.kernel not in (None, facts.kernel):
        hidden |= {"SELinux", "user namespaces"}  # this machine's, and containers run on another
    rows = [row for row in rows if row[0] not in hidden]
    return [f"control  {name:<15}  {text}" for name, text in rows]


def _egress(facts: HostFacts) -> str:
    without = why_no_gateway(facts)
    way = "by name, through a gateway that `sandboxd up` makes"
    text = f"{'none' if without is not None else way}; `open` only in profile trusted"
    return f"{text}; {WITHOUT_RULES}" if _without_rules(facts) else text


def _without_rules(facts: HostFacts) -> bool:
    return facts.engine is not None and facts.engine.firewall_rules is False


def _gpu(facts: HostFacts, nvidia: Nvidia) -> str:
    """The runtimes that pass NVIDIA's devices on once the user grants it, and why another does not."""
    toolkit = f"toolkit {nvidia.toolkit}" if nvidia.toolkit else "no toolkit"
    ways = [("runc", why_not_under_runc(facts))]
    if (gvisor := facts.usable_gvisor()) is not None:
        ways.append((gvisor.name, why_not_under_gvisor(gvisor, facts)))
    words = [f"{name}: {without[0] if without else 'by grant'}" for name, without in ways]
    return printable(f"NVIDIA's driver {nvidia.driver}, {toolkit}; {'; '.join(words)}")


def _warnings(facts: HostFacts) -> list[str]:
    """Versions with known escapes; those that need more than the version apart from them."""
    escapes = warnings(facts)
    lines = [
        f"{paint('warning:', YELLOW, BOLD)} {printable(warned.message)}"
        for warned in escapes
        if not warned.condition
    ]
    spaced = [text for line in lines for text in ("", line)]
    conditions = _conditions(escapes)
    return [*spaced, "", "only under conditions:", *conditions] if conditions else spaced


def _conditions(escapes: tuple[Warned, ...]) -> list[str]:
    """The conditions of the other known escapes, in a line for each component and condition."""
    ids: dict[tuple[str, str, str], list[str]] = {}
    for warned in escapes:
        if warned.condition:
            key = (warned.component, warned.version, warned.condition)
            ids.setdefault(key, []).extend(warned.advisory.ids)
    return [
        printable(f"  {LABELS[component]} {version}, {condition}: {', '.join(names)}")
        for (component, version, condition), names in ids.items()
    ]


def _seccomp(facts: HostFacts) -> str:
    text = _yes_or_no(facts.seccomp)
    unfiltered = facts.engine is not None and facts.engine.is_unfiltered
    return (
        f"{text}; a container that names no filter has none, by the engine's settings"
        if unfiltered
        else text
    )


def _user_namespaces(facts: HostFacts) -> str:
    if facts.user_namespaces is None:
        return "unknown"
    return "users may make them" if facts.user_namespaces else "refused to users"


def _limits(facts: HostFacts) -> str:
    version = facts.cgroup_version
    if version is None:
        return "unknown"
    rootless = facts.engine is not None and facts.engine.rootless
    if rootless and version == "1":
        return "not enforced: a rootless engine on cgroup version 1"
    if missing := _unlimited(facts):
        return f"not enforced for {missing}: the engine's machine has no control groups for that"
    where = ", where the user's session delegates them" if rootless else ""
    return f"enforced by cgroup version {version}{where}"


def _unlimited(facts: HostFacts) -> str:
    """A phrase with the resources that the engine cannot limit; '' if it can limit all."""
    engine = facts.engine
    if engine is None:
        return ""
    able = {
        "memory": engine.memory_limit,
        "processes": engine.pids_limit,
        "processors": engine.cpu_quota,
    }
    return ", ".join(name for name, can in able.items() if can is False)


def _yes_or_no(value: bool | None) -> str:
    if value is None:
        return "unknown"
    return "available" if value else "not offered by this engine"


def as_json(facts: HostFacts, policy: UsageError | None = None) -> dict[str, Any]:
    """The facts with every field, and the judgement of each runtime.

    :param policy: as in `render`
    """
    data: dict[str, Any] = {"version": 1, **facts._asdict()}
    data["nvidia"] = facts.nvidia and facts.nvidia._asdict()
    engine = facts.engine
    data["engine"] = None
    data["runtimes"] = []
    if engine is not None:
        data["engine"] = {k: v for k, v in engine._asdict().items() if k != "runtimes"}
        data["engine"]["components"] = {part.name: part.version for part in engine.components}
        data["runtimes"] = [
            {
                "runtime": runtime.name,
                **runtime._asdict(),
                "premises": {
                    p.name: {"holds": p.holds, "detail": p.detail} for p in runtime.premises
                },
            }
            for runtime in engine.runtimes
        ]
    data["platform"] = name_of(facts)
    data["warnings"] = [
        {
            "component": warned.component,
            "version": warned.version,
            "ids": list(warned.advisory.ids),
            "condition": warned.condition,
            "fixed": list(warned.affected.fixed),
            "repaired": warned.repaired,
            "repackaged": warned.repackaged,
            "message": warned.message,
            "source": warned.advisory.source,
        }
        for warned in warnings(facts)
    ]
    best = facts.usable_gvisor()
    data["gvisor"] = best.name if best is not None else None
    data["old_build"] = shortfall(best) if best is not None else ""
    data["why_no_gvisor"] = "" if best is not None else platform_of(facts).why_no_gvisor(facts).why
    data["next"] = list(_steps(platform_of(facts).advice(facts).steps, policy)[:3])
    return data
