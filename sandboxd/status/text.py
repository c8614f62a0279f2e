"""`sandboxd status` for a person: one screen, the next step as `hint:`."""

from __future__ import annotations

from collections.abc import Mapping

from sandboxd.host.facts import HostFacts, Runtime
from sandboxd.host.versions import warnings
from sandboxd.observe.control import STATES
from sandboxd.status import names_text
from sandboxd.status.model import Counts, DaemonLine, ProjectStatus, State, StatusReport
from sandboxd.status.settings import BY_GATEWAY
from sandboxd.status.verification import sentence

_LABEL = 13
_OLD_SECONDS = 5.0
_STATE_COLOURS = {"running": "32", "invalid config": "31", "missing": "31", "unknown": "33"}


def render(report: StatusReport, *, colour: bool, columns: int) -> str:
    """The screen, its last newline included.

    The caller's own project is shown in full, several others by their state only.
    """
    lines = [_row("host", _host(report), columns), _row("daemon", _daemon(report.daemon), columns)]
    in_full = {report.here} if report.here or len(report.projects) > 1 else None
    for project in sorted(report.projects, key=lambda p: (p.path != report.here, p.path)):
        if in_full is None or project.path in in_full:
            lines += ["", *_project(project, colour=colour, columns=columns)]
        else:
            lines += ["", *_in_short(project, colour=colour, columns=columns)]
    if report.others:
        lines += ["", _row("and", _others(report.others), columns)]
    elif not report.projects:
        lines.append(_row("projects", "none", columns))
    hint = _hint(report)
    if hint:
        lines += ["", f"{_paint('hint:', '1', colour)} {printable(hint)}"]
    return "\n".join(lines) + "\n"


def printable(text: str) -> str:
    """`text` without characters that could drive a terminal: paths and values are hostile."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _host(report: StatusReport) -> str:
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
    escapes = sum(len(w.escape.ids) for w in warnings(facts) if not w.escape.condition)
    if escapes:
        text += f"; {_number(escapes, 'known way')} out of these versions, see `sandboxd doctor`"
    return text


def _runtime(runtime: Runtime) -> str:
    kind = " (gVisor)" if runtime.gvisor else ""
    if runtime.usable:
        return f"{runtime.name}{kind} starts containers"
    state = "not usable" if runtime.usable is False else "not tried"
    return f"{runtime.name} {state}{': ' + runtime.why if runtime.why else ''}"


def _daemon(daemon: DaemonLine) -> str:
    if not daemon.running:
        return f"not running{': ' + daemon.problem if daemon.problem else ''}"
    count = f"{daemon.projects} project{'' if daemon.projects == 1 else 's'}"
    text = f"running (pid {daemon.pid}, version {daemon.version}), {count}, watched by {daemon.watching}"
    return f"{text}; {daemon.problem}" if daemon.problem else text


def _project(project: ProjectStatus, *, colour: bool, columns: int) -> list[str]:
    rows: list[tuple[str, str]] = []
    if not project.keeps:
        rows.append(("daemon", "does not keep it generated: `sandboxd daemon start` here does"))
    if project.checking:
        rows.append(("checking", "its files changed just now"))
    if project.problem:
        rows.append(("problem", project.problem))
    if project.asked is not None:
        rows.append(("asked", _settings(project.asked)))
    rows += _observation_rows(project)
    rows += [("downgrade", text) for text in project.downgrades if project.in_force is None]
    if not project.checking:
        rows.append(("findings", _counts(project.counts)))
        rows += _trust(project)
    return [_head(project, colour), *(_row("  " + name, text, columns) for name, text in rows)]


def _trust(project: ProjectStatus) -> list[tuple[str, str]]:
    if project.trust in (None, "not needed"):
        return []
    words = {
        "in force": "granted: this file may take controls away",
        "outdated": "the grant is void: the file changed since",
        "none": "none: this file takes controls away, so it needs a grant",
    }
    return [("trust", words[str(project.trust)])]


def _others(others: Mapping[State, int]) -> str:
    states = ", ".join(f"{count} {state}" for state, count in sorted(others.items()))
    return f"{_number(sum(others.values()), 'more project')}: {states}; `sandboxd list` names them"


def _in_short(project: ProjectStatus, *, colour: bool, columns: int) -> list[str]:
    if project.checking:
        return [f"{_head(project, colour)}  checking ..."]
    parts = [f"findings: {_counts(project.counts)}"]
    if project.trust in ("outdated", "none"):
        parts.append(f"trust: {project.trust}")
    if project.names is not None and (names := names_text.in_short(project.names)):
        parts.append(names)
    elif project.in_force is not None:
        parts.append(f"network: {project.in_force.settings.get('network', 'not seen')}")
    if project.drift:
        parts.append(f"drift: {_number(len(project.drift), 'difference')}")
    problem = project.problem or project.unseen
    rows = [("problem", problem)] if problem else []
    head = f"{_head(project, colour)}  {'; '.join(parts)}"
    return [head, *(_row("  " + name, text, columns) for name, text in rows)]


def _head(project: ProjectStatus, colour: bool) -> str:
    state = _paint(project.state, _STATE_COLOURS.get(project.state, "1"), colour)
    profile = f"  profile {printable(project.profile)}" if project.profile else ""
    return f"{_paint(printable(project.path), '1', colour)}  {state}{profile}"


def _settings(settings: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in settings.items())


def _observation_rows(project: ProjectStatus) -> list[tuple[str, str]]:
    """The controls of the running container; only those in force are named without a reason."""
    running = project.in_force
    if running is None:
        reason = f": {project.unseen}" if project.unseen else ""
        return [("in force", f"nothing observed{reason}")]
    rows = [("engine", _settings(running.settings))]
    if project.names is not None and project.names.is_recorded:
        rows += names_text.rows(project.names)
    else:
        rows.append(("denials", _denials(running.settings.get("network", ""))))
    if project.unseen:
        rows.append(("problem", project.unseen))
    good = [control.name for control in running.controls if control.state == "in force"]
    rows.append(("in force", ", ".join(good) or "nothing of what was looked at"))
    for state in STATES[1:]:
        rows += [(state, f"{c.name}: {c.why}") for c in running.controls if c.state == state]
    rows.append(
        ("drift", "not compared" if project.drift is None else "; ".join(project.drift) or "none")
    )
    rows.append(("verified", "never" if project.verified is None else sentence(project.verified)))
    return rows


def _denials(network: str) -> str:
    """Why there is no number of denials: without a filter nothing counts them."""
    if network == "none":
        return "none recorded: there is no network"
    if network == BY_GATEWAY:
        return "not known: nothing was heard from its gateway"
    return "none recorded: nothing filters the network"


def _counts(counts: Counts | None) -> str:
    if counts is None:
        return "not checked"
    parts = [
        _number(counts.error, "error"),
        _number(counts.warning, "warning"),
        _number(counts.hint, "hint"),
    ]
    text = ", ".join(part for part in parts if part) or "none"
    return f"{text}; {_number(counts.skipped, 'part')} not checked" if counts.skipped else text


def _number(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}" if count else ""


def _hint(report: StatusReport) -> str:
    """The first next step: what is broken here, the host, what is broken elsewhere, the rest."""
    is_alone = not report.here and len(report.projects) == 1
    here = [p for p in report.projects if is_alone or p.path == report.here]
    others = [p for p in report.projects if p not in here]
    engine = report.host.engine if report.host is not None else None
    steps = [p.hint for p in here if p.problem]
    if engine is not None and engine.error:
        steps.append(engine.hint)
    steps += [p.hint for p in here]
    steps += [_elsewhere(p) for p in others if p.problem]
    steps += [_elsewhere(p) for p in others]
    steps.append(report.daemon.hint)
    return next((step for step in steps if step), "")


def _elsewhere(project: ProjectStatus) -> str:
    """The next step for a project that the caller is not in, '' for none."""
    return f"for `{project.path}`: {project.hint}" if project.hint else ""


def _row(label: str, text: str, columns: int) -> str:
    """`label` and `text`, wrapped under itself."""
    indent = _LABEL + 2
    room = max(columns - indent, 30)
    lines: list[str] = []
    line = ""
    for word in printable(text).split(" "):
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    lines.append(line)
    return f"{label:<{indent}}" + ("\n" + " " * indent).join(lines)


def _paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
