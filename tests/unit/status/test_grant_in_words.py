"""A grant that is in force: the screen says what the file chooses by it, and no more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.host.facts import UNKNOWN
from sandboxd.policy import trust
from sandboxd.project import Project
from sandboxd.status import text
from sandboxd.status.combine import combine
from sandboxd.status.examine import examine
from sandboxd.status.model import DaemonLine, StatusReport
from sandboxd.status.observe import Observed

WHERE = '[where]\nkubernetes = "team"\n'
NEEDS_NONE = 'image = "img:1"\n'


def shown(above: Path, content: str, *, grant: bool, form: text.Form) -> str:
    folder = above / "app"
    folder.mkdir()
    (folder / "sandboxd.toml").write_text(content)
    project = Project.open(str(folder), os.environ)
    if grant:
        given = trust.Grant(project.workspace, project.config.digest, project.profile.name)
        trust.add(os.environ, given)
    row = combine(project.workspace, examine(str(folder), os.environ, UNKNOWN), Observed({}))
    report = StatusReport(DaemonLine(running=True, pid=1), UNKNOWN, (row,), here=project.workspace)
    return " ".join(text.render(report, form, colour=False, columns=200).split())


@pytest.mark.parametrize("form", ["text", "long"])
@pytest.mark.parametrize(
    ("content", "chooses"),
    [
        (NEEDS_NONE + WHERE, "granted: it chooses the cluster team"),
        (
            NEEDS_NONE + '[capabilities]\nadd = ["KILL"]\n' + WHERE,
            "granted: it chooses capability KILL, the cluster team",
        ),
        (NEEDS_NONE + 'profile = "trusted"\n', "granted: it chooses profile trusted"),
    ],
)
def test_a_granted_file_is_said_to_do_what_it_does(
    tmp_path: Path, content: str, chooses: str, form: text.Form
) -> None:
    screen = shown(tmp_path, content, grant=True, form=form)
    assert chooses in screen and "take controls away" not in screen


def test_a_grant_that_nothing_needs_claims_nothing(tmp_path: Path) -> None:
    screen = shown(tmp_path, NEEDS_NONE, grant=True, form="long")
    assert "granted" in screen and "chooses" not in screen


def test_without_a_grant_the_next_step_names_no_controls(tmp_path: Path) -> None:
    screen = shown(tmp_path, NEEDS_NONE + WHERE, grant=False, form="text")
    assert "needs a grant" in screen and "chooses" not in screen and "takes" not in screen
