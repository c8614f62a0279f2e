"""`sandboxd status --long`: everything that is known, and what was observed of each control."""

from __future__ import annotations

from collections.abc import Mapping

from sandboxd.observe.control import STATES
from sandboxd.screen import paint, row, visible
from sandboxd.status import beside_text, counts_text, lost_pins, machine, names_text
from sandboxd.status.model import ProjectStatus, State, StatusReport
from sandboxd.status.next_step import hint_lines, next_step
from sandboxd.status.settings import BY_GATEWAY
from sandboxd.status.summary import losses
from sandboxd.status.verification import sentence

_LABEL = 13
_STATE_COLOURS = {"running": "32", "invalid config": "31", "missing": "31", "unknown": "33"}


def render(report: StatusReport, *, colour: bool, columns: int) -> str:
    """The whole screen, with a newline at its end.

    The caller's own project is shown in full; of others, if there are several, only the state.
    """
    lines = [
        *lost_pins.lines(report, colour=colour, columns=columns),
        _row("host", machine.host(report), columns),
        _row("daemon", machine.daemon(report.daemon), columns),
    ]
    in_full = {report.here} if report.here or len(report.projects) > 1 else None
    for project in sorted(report.projects, key=lambda p: (p.path != report.here, p.path)):
        if in_full is None or project.path in in_full:
            lines += ["", *_project(project, colour=colour, columns=columns)]
        else:
            lines += ["", *_in_short(project, colour=colour, columns=columns)]
    if report.others:
        lines += ["", _row("and", others(report.others), columns)]
    elif not report.projects:
        lines.append(_row("projects", "none", columns))
    hint = next_step(report)
    if hint:
        lines += ["", *hint_lines(hint, colour=colour, columns=columns)]
    return "\n".join(lines) + "\n"


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
    rows += [("hooks", text) for text in project.hooks]
    rows += [("commits", text) for text in project.waiting]
    rows += [("copy", text) for text in project.copy]
    rows += [("port", text) for text in project.ports]
    if (last := project.measured) is not None:
        rows.append(("measured", f"{last.conclusion} ({last.when[:10]})"))
    rows += [("beside", text) for text in beside_text.texts(project)]
    if not project.checking:
        rows.append(("findings", counts_text.findings(project.counts, "none")))
        rows += _trust(project)
    return [_head(project, colour), *(_row("  " + name, text, columns) for name, text in rows)]


def _trust(project: ProjectStatus) -> list[tuple[str, str]]:
    if project.trust in (None, "not needed"):
        return []
    words = {
        "in force": counts_text.grant(project.granted),
        "outdated": "the grant is void: the file changed since",
        "none": "none: it asks for what needs a grant",
    }
    return [("trust", words[str(project.trust)])]


def others(counts: Mapping[State, int]) -> str:
    """A line about the projects that are not shown: how many are in each state."""
    states = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    return f"{counts_text.number(sum(counts.values()), 'more project')}: {states}; `sandboxd list` names them"


def _in_short(project: ProjectStatus, *, colour: bool, columns: int) -> list[str]:
    if project.checking:
        return [f"{_head(project, colour)}  checking ..."]
    parts = [f"findings: {counts_text.findings(project.counts, 'none')}"]
    if project.trust in ("outdated", "none"):
        parts.append(f"trust: {project.trust}")
    if project.names is not None and (names := names_text.in_short(project.names)):
        parts.append(names)
    elif project.in_force is not None:
        parts.append(f"network: {project.in_force.settings.get('network', 'not seen')}")
    if project.drift:
        parts.append(f"drift: {counts_text.number(len(project.drift), 'difference')}")
    problem = project.problem or project.unseen
    rows = [("problem", problem)] if problem else []
    head = f"{_head(project, colour)}  {'; '.join(parts)}"
    return [head, *(_row("  " + name, text, columns) for name, text in rows)]


def _head(project: ProjectStatus, colour: bool) -> str:
    state = paint(project.state, _STATE_COLOURS.get(project.state, "1"), colour)
    profile = counts_text.profile(project.profile, project.running_profile)
    return f"{paint(visible(project.path), '1', colour)}  {state}{f'  {profile}' * bool(profile)}"


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
        if state == "not in force":
            rows += [(state, text) for text in losses(project)]
    if project.unchecked_pins:
        names = ", ".join(project.unchecked_pins)
        rows.append(
            (
                "not checked",
                f"whether what is mounted at {names} still is: it cannot be seen from here",
            )
        )
    rows.append(
        ("drift", "not compared" if project.drift is None else "; ".join(project.drift) or "none")
    )
    rows.append(("verified", "never" if project.verified is None else sentence(project.verified)))
    return rows


def _denials(network: str) -> str:
    """The reason why there is no number of denials: without a filter nothing counts them."""
    if network == "none":
        return "none recorded: there is no network"
    if network == BY_GATEWAY:
        return "not known: nothing was heard from its gateway"
    return "none recorded: nothing filters the network"


def _row(label: str, text: str, columns: int) -> str:
    return "\n".join(row(label, visible(text), columns, _LABEL + 2))
