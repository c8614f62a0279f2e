"""`sandboxd status` for the user: the caller's project at a glance, each other one in a line, one next step."""

from __future__ import annotations

from typing import Literal

from sandboxd.screen import columns_of, cut, end_of_path, paint, visible
from sandboxd.status import in_full, lost_pins, machine, names_text, summary
from sandboxd.status.glance import glance, needs_grant
from sandboxd.status.model import ProjectStatus, StatusReport
from sandboxd.status.next_step import hint_lines, next_step

Form = Literal["text", "all", "long", "short"]
"""``all``: list every project instead of counting some. ``long``: everything that is known. ``short``: one word, for a
prompt.
"""

FORMS: tuple[Form, ...] = ("text", "all", "long", "short")

_MOST_PATH = 44


def form(name: str) -> Form:
    """The form `name`; ``text`` if there is no such form."""
    return next((form for form in FORMS if form == name), "text")


def render(report: StatusReport, form: Form = "text", *, colour: bool, columns: int) -> str:
    """The whole screen, with a newline at its end; in the form ``short``, '' if the caller is in no project."""
    if form == "long":
        return in_full.render(report, colour=colour, columns=columns)
    here = _here(report)
    if form == "short":
        return f"{glance(here)}\n" if here is not None else ""
    lines = lost_pins.lines(report, colour=colour, columns=columns)
    above = len(lines)
    lines += (
        _machine(report, columns)
        if here is None
        else _summary(report, here, above, colour=colour, columns=columns)
    )
    others = sorted((p for p in report.projects if p is not here), key=lambda p: p.path)
    if others and lines:
        lines.append("")
    lines += _others(others, colour, columns)
    if report.others:
        lines.append(cut(f"and {in_full.others(report.others)}", columns))
    hint = next_step(report)
    if not hint and report.projects:
        hint = "`sandboxd status --long` shows what was seen of each control"
    if hint:
        lines += hint_lines(hint, colour=colour, columns=columns)
    return "\n".join(lines) + "\n"


def _here(report: StatusReport) -> ProjectStatus | None:
    """The project that is shown in full: the caller's own, or the only one."""
    if not report.here and len(report.projects) == 1 and not report.others:
        return report.projects[0]
    return next((p for p in report.projects if p.path == report.here), None)


def _machine(report: StatusReport, columns: int) -> list[str]:
    """The screen without a project: the engine and how to make one."""
    rows = [("daemon", machine.daemon(report.daemon)), ("host", machine.host(report))]
    if not report.projects and not report.others:
        rows.insert(0, ("project", "none here: no `sandboxd.toml` in this folder or above it"))
    return [
        line
        for label, text in rows
        for line in summary.lines(
            summary.Row(0, label, text, lines=3), colour=False, columns=columns
        )
    ]


def _summary(
    report: StatusReport, project: ProjectStatus, above: int, *, colour: bool, columns: int
) -> list[str]:
    path = project.path
    name = path.rsplit("/", 1)[-1] if path == report.here else path
    daemon = report.daemon.problem if report.daemon.running else ""
    lines = [summary.head(project, name or path, colour=colour, columns=columns)]
    for row in summary.rows(project, machine.trouble(report), daemon, above):
        lines += summary.lines(row, colour=colour, columns=columns)
    return lines


def _others(projects: list[ProjectStatus], colour: bool, columns: int) -> list[str]:
    """One line for each project: symbol, folder, state, and what matters most."""
    room = min(_MOST_PATH, columns - 24)
    paths = [end_of_path(visible(project.path), room) for project in projects]
    widest = max(map(columns_of, paths), default=0)
    lines = []
    for project, path in zip(projects, paths, strict=True):
        mark = glance(project)
        state = "checking" if project.checking else project.state
        text = path + " " * (widest - columns_of(path))
        used = 4 + widest + columns_of(state)
        about = _remark(project)
        about = (
            f"  {cut(visible(about), columns - used - 2)}" if about and used + 12 < columns else ""
        )
        lines.append(
            f"{paint(mark.symbol, mark.colour, colour)} {text}  "
            f"{paint(state, mark.colour, colour)}{about}"
        )
    return lines


def _remark(project: ProjectStatus) -> str:
    if project.checking:
        return ""
    if gone := lost_pins.texts_of(project):
        return gone[0]
    if needs_grant(project):
        return f"trust: {project.trust}"
    if project.problem or project.unseen:
        return project.problem or project.unseen
    parts: list[str] = []
    if project.verified is not None and project.verified.state in ("held", "escaped"):
        parts.append(project.verified.state)
    if project.drift:
        parts.append("drift")
    if project.names is not None and (names := names_text.in_short(project.names)):
        parts.append(names)
    if project.counts is not None and project.counts.error:
        number = project.counts.error
        parts.append(f"{number} error{'' if number == 1 else 's'}")
    return ", ".join(parts)
