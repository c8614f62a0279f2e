"""A secret that was replaced is not used on by a sandbox that was sent it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.operations import given_at_start
from tests.unit.operations.running_project import Running, play


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    return play(tmp_path, monkeypatch)


@pytest.mark.parametrize("is_removed", [True, False])
@pytest.mark.parametrize("place", [("A",), ("B",)])
def test_a_credential_of_the_same_name_does_not_work_with_the_secret_of_an_earlier_one(
    running: Running, is_removed: bool, place: tuple[str, ...]
) -> None:
    """Both may happen between two looks."""
    records.put(running.environ, Record(Name("github"), "environment", ("A",)))
    running.write('[credentials]\nuse = ["github"]\n', trusted=True)
    running.start()
    running.follow()
    assert running.pushed[-1].credentials
    if is_removed:
        records.remove(running.environ, Name("github"))
    records.put(running.environ, Record(Name("github"), "environment", place))
    for _ in range(2):
        running.follow()
        assert running.pushed[-1].credentials == ()
    (running.path / "sandboxd.toml").write_text("profile = ")
    running.follow()
    assert running.pushed[-1].credentials == ()
    running.write('[credentials]\nuse = ["github"]\n', trusted=True)
    running.start()
    running.follow()
    assert running.pushed[-1].credentials


def test_a_secret_that_is_replaced_while_a_sandbox_starts_is_not_used_by_it(
    running: Running,
) -> None:
    """It reads its secrets before it builds an image."""
    records.put(running.environ, Record(Name("github"), "file"))
    running.write('[credentials]\nuse = ["github"]\n', trusted=True)
    read = [(str(each.name), each.identity) for each in records.load(running.environ)]
    records.put(running.environ, Record(Name("github"), "file"))
    project, rights = running.give()
    given_at_start.note(project, running.container, rights, serials=read)
    running.follow()
    assert running.pushed[-1].credentials == ()


def test_an_edit_of_the_list_by_hand_is_another_secret(running: Running) -> None:
    records.put(running.environ, Record(Name("github"), "environment", ("A",)))
    running.write('[credentials]\nuse = ["github"]\n', trusted=True)
    running.start()
    running.follow()
    assert running.pushed[-1].credentials
    path = Path(running.environ["XDG_CONFIG_HOME"]) / "sandboxd" / records.FILE_NAME
    path.write_text(path.read_text().replace('"A"', '"B"'))
    running.follow()
    assert running.pushed[-1].credentials == ()
