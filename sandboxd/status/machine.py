"""The machine in two lines: its engine, and the daemon. Pure."""

from __future__ import annotations

from sandboxd.host.advisories.versions import warnings
from sandboxd.host.facts import HostFacts, Runtime
from sandboxd.host.facts.builds import UPDATE, shortfall
from sandboxd.status.model import DaemonLine, StatusReport

_OLD_SECONDS = 5.0


def host(report: StatusReport) -> str:
    """One line: the engine, its runtimes, and known escapes of their versions."""
    facts = report.host
    if facts is None:
        return "not asked yet"
    text = _engine(facts)
    if report.age > _OLD_SECONDS:
        text += f" (as of {report.age:.0f} s ago)"
    return text


def _engine(facts: HostFacts) -> str:
    engine = facts.engine
    if engine is None:
        return "no container engine was looked for"
    if engine.error:
        return f"no container engine: {engine.error}"
    name = f"{engine.kind or 'engine'} {engine.version or 'of unknown version'}"
    runtimes = "; ".join(_runtime(runtime) for runtime in engine.runtimes)
    text = f"{name} at {engine.host}; {runtimes or 'its runtimes are unknown'}"
    escapes = _escapes(facts)
    return f"{text}; {escapes}, see `sandboxd doctor`" if escapes else text


def trouble(report: StatusReport) -> str:
    """The host's problem: no engine, outdated information, or known escapes; '' for none."""
    facts = report.host
    if facts is None or facts.engine is None:
        return ""
    if facts.engine.error:
        return f"no container engine: {facts.engine.error}"
    if report.age > _OLD_SECONDS:
        return f"as of {report.age:.0f} s ago"
    escapes = _escapes(facts)
    parts = (_old_build(facts), f"{escapes}: `sandboxd doctor`" if escapes else "")
    return "; ".join(part for part in parts if part)


def _old_build(facts: HostFacts) -> str:
    gvisor = facts.usable_gvisor()
    if gvisor is None or not shortfall(gvisor):
        return ""
    slower = " and slower" if gvisor.directfs_off() else ""
    return f"old gVisor, weaker{slower}: `{UPDATE}`"


def _escapes(facts: HostFacts) -> str:
    number = sum(len(w.advisory.ids) for w in warnings(facts) if not w.condition)
    if not number:
        return ""
    return f"{number} known way{'' if number == 1 else 's'} out of these versions"


def _runtime(runtime: Runtime) -> str:
    kind = " (gVisor)" if runtime.gvisor else ""
    if runtime.usable:
        return f"{runtime.name}{kind} starts containers"
    state = "not usable" if runtime.usable is False else "not tried"
    return f"{runtime.name} {state}{': ' + runtime.why if runtime.why else ''}"


def daemon(daemon: DaemonLine) -> str:
    """One line about the daemon."""
    if not daemon.running:
        return f"not running{': ' + daemon.problem if daemon.problem else ''}"
    count = f"{daemon.projects} project{'' if daemon.projects == 1 else 's'}"
    text = f"running (pid {daemon.pid}, version {daemon.version}), {count}, watched by {daemon.watching}"
    return f"{text}; {daemon.problem}" if daemon.problem else text
