"""The image that `sandboxd agent --image` names is remembered once a start with it went well."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.agents import session
from sandboxd.agents.session import Choices
from sandboxd.cli import agent_sessions
from sandboxd.errors import EnvironmentFailure


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    folder = tmp_path / "app"
    folder.mkdir()
    return str(folder.resolve())


def start(project: str, image: str, *, fails: bool) -> str:
    """Start the agent's session; the image that its config names afterwards."""
    before = session.recall(os.environ, project, "claude")
    own, agent = agent_sessions.make(project, "claude", "claude", Choices(image))
    try:
        with agent_sessions.image_of_a_start(own, agent, before.choices.image if before else ""):
            if fails:
                raise EnvironmentFailure(f"the engine has no image `{image}`")
    except EnvironmentFailure:
        assert fails
    kept = session.recall(os.environ, project, "claude")
    assert kept is not None
    config = Path(own.config_path).read_text()
    assert not kept.choices.image or f'image = "{kept.choices.image}"' in config
    assert not fails or not image or image not in config
    return kept.choices.image


def test_a_misspelt_image_is_forgotten_and_the_one_before_is_back(
    project: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(project, "debain", fails=True) == ""
    assert "`--image debain` is not remembered" in capsys.readouterr().err
    assert start(project, "debian:13", fails=False) == "debian:13"
    assert start(project, "debian:31", fails=True) == "debian:13"


def test_one_that_was_not_chosen_now_stays_where_a_start_fails(
    project: str, capsys: pytest.CaptureFixture[str]
) -> None:
    start(project, "debian:13", fails=False)
    assert start(project, "", fails=True) == "debian:13"
    assert capsys.readouterr().err == ""
