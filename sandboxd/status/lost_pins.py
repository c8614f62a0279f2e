"""The first lines of every screen about a sandbox: pins lost by changes on the host, a halt because of that, and that
nobody watches for such changes. Pure.
"""

from __future__ import annotations

from sandboxd.observe.pin import headline
from sandboxd.screen import paint, visible, wrap
from sandboxd.status.glance import RED, YELLOW
from sandboxd.status.model import ProjectStatus, StatusReport


def lines(report: StatusReport, *, colour: bool, columns: int) -> list[str]:
    """The lines for all projects of the report, first the caller's own; [] if nothing is wrong."""
    projects = sorted(report.projects, key=lambda p: (p.path != report.here, p.path))
    is_alone = not report.here and len(projects) == 1
    result = []
    for project in projects:
        whose = "" if is_alone or project.path == report.here else f"{project.path}: "
        for text in texts_of(project):
            result += _wrapped(f"✗ {whose}{text}", RED, colour, columns)
        if project.unwatched:
            text = f"! {whose}NOT WATCHED: {project.unwatched}"
            result += _wrapped(text, YELLOW, colour, columns)
    return result


def _wrapped(text: str, colour: str, is_coloured: bool, columns: int) -> list[str]:
    first, *rest = wrap(visible(text), max(columns - 2, 20))
    return [paint(line, colour, is_coloured) for line in (first, *(f"  {line}" for line in rest))]


def texts_of(project: ProjectStatus) -> list[str]:
    """One line for each sandbox of the workspace that is halted or lost a pin; hostile text."""
    texts = []
    if project.halted:
        texts.append(f"HALTED: {project.halted}")
    elif project.lost_pins:
        texts.append(headline(project.lost_pins))
    halted = dict(project.halted_beside)
    texts += [f"HALTED `{name}`: {why}" for name, why in halted.items()]
    texts += [
        headline(pins, f" in `{name}`") for name, pins in project.lost_beside if name not in halted
    ]
    return texts
