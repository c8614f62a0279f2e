"""Chooses which projects a screen shows, and counts the others by their state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sandboxd.daemon.projects import Tracked
from sandboxd.model.sandbox_id import workspace_of
from sandboxd.status.combine import state
from sandboxd.status.model import State
from sandboxd.status.observe import Observed


def choose(
    projects: Mapping[str, Tracked], here: str, observed: Observed, most: int
) -> tuple[list[str], dict[State, int]]:
    """The paths of the projects to show, and the number of the others in each state.

    At most `most` are shown: first the one at `here`, then those with a sandbox, named or not, then those with a problem. With at
    most `most` projects all are shown.

    :param here: the path of the caller's project, '' for none
    """
    if len(projects) <= most:
        return sorted(projects), {}
    first = [here] if here in projects else []
    with_sandbox = projects.keys() & {workspace_of(each) for each in observed.containers}
    broken = sorted(
        path
        for path, project in projects.items()
        if (project.has_problem or not project.scan.exists)
        and path != here
        and path not in with_sandbox
    )
    shown = (first + sorted(with_sandbox - {here}) + broken)[:most]
    left_out = projects.keys() - set(shown)
    counted = Counter(_state(projects[path], observed) for path in left_out)
    return sorted(shown), dict(counted)


def _state(project: Tracked, observed: Observed) -> State:
    return state(project.path, project.scan.exists, project.is_valid, observed)
