"""The one next step of a report, as a command to paste. Pure."""

from __future__ import annotations

from sandboxd.screen import paint, visible, wrap
from sandboxd.status import lost_pins
from sandboxd.status.model import ProjectStatus, StatusReport

_LABEL = "hint: "


def hint_lines(hint: str, *, colour: bool, columns: int) -> list[str]:
    """`hint` as lines for the screen."""
    lines = wrap(visible(hint), max(columns - len(_LABEL), 20), whole=True)
    first = f"{paint(_LABEL.strip(), '1', colour)} {lines[0]}"
    return [first, *(" " * len(_LABEL) + line for line in lines[1:])]


def next_step(report: StatusReport) -> str:
    """The most important next step: for a lost pin, then for a problem of the caller's project, of the host, of others,
    then the rest.
    """
    is_alone = not report.here and len(report.projects) == 1
    here = [p for p in report.projects if is_alone or p.path == report.here]
    others = [p for p in report.projects if p not in here]
    engine = report.host.engine if report.host is not None else None
    steps = [p.hint for p in here if lost_pins.texts_of(p)]
    steps += [_elsewhere(p) for p in others if lost_pins.texts_of(p)]
    steps += [p.hint for p in here if p.problem]
    if engine is not None and engine.error:
        steps.append(engine.hint)
    steps += [p.hint for p in here]
    steps += [_elsewhere(p) for p in others if p.problem]
    steps += [_elsewhere(p) for p in others]
    steps.append(report.daemon.hint)
    return next((step for step in steps if step), "")


def _elsewhere(project: ProjectStatus) -> str:
    """The next step for another project than the caller's; '' for none."""
    return f"for `{project.path}`: {project.hint}" if project.hint else ""
