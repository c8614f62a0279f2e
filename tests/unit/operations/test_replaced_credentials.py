"""A secret that was replaced is not used on by a sandbox that was sent it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.credentials import own_services, records, resolve
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


OWN = """title = "Mine"
[[endpoint]]
name = "api"
host = "forge.example.com"
header = "Authorization"
scheme = "bearer"
methods = []
paths = ["/"]
"""
USES_OWN = '[credentials]\nuse = ["my-own"]\n'


@pytest.fixture
def own(running: Running, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service that the user describes, whose secret is in a variable."""
    monkeypatch.setenv("XDG_CONFIG_HOME", running.environ["XDG_CONFIG_HOME"])
    path = Path(own_services.path("my-own"))
    path.parent.mkdir(parents=True)
    path.write_text(OWN)
    path.chmod(0o600)
    records.put(running.environ, Record(Name("my-own"), "environment", ("A",)))
    running.write(USES_OWN, trusted=True)
    return path


@pytest.mark.parametrize(
    "edit", [('paths = ["/"]', 'paths = ["/only/"]'), ("forge.example.com", "other.example.com")]
)
def test_a_service_that_is_described_anew_is_not_used_in_the_form_of_before(
    running: Running, own: Path, edit: tuple[str, str]
) -> None:
    """Its gateway knows hosts and paths by the start alone."""
    running.start()
    running.follow()
    assert running.pushed[-1].credentials
    own.write_text(OWN.replace(*edit))
    for _ in range(2):
        running.follow()
        assert running.pushed[-1].credentials == ()
    (running.path / "sandboxd.toml").write_text("profile = ")
    running.follow()
    assert running.pushed[-1].credentials == ()
    running.write(USES_OWN, trusted=True)
    running.start()
    running.follow()
    assert running.pushed[-1].credentials


def test_a_service_that_is_half_saved_comes_back(running: Running, own: Path) -> None:
    running.start()
    own.write_text("title = ")
    running.follow()
    assert running.pushed[-1].credentials == ()
    own.write_text(OWN)
    running.follow()
    assert running.pushed[-1].credentials


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_service_that_is_not_described_takes_no_other_secret_away(
    running: Running, own: Path, is_gone: bool
) -> None:
    records.put(running.environ, Record(Name("github"), "environment", ("B",)))
    running.write('[credentials]\nuse = ["github"]\n', trusted=True)
    running.start()
    running.follow()
    before = running.pushed[-1].credentials
    assert before
    own.unlink() if is_gone else own.write_text("title = ")
    running.follow()
    assert running.pushed[-1].credentials == before


def test_the_file_of_a_service_that_is_gone_takes_its_secret_away_until_it_is_back(
    running: Running, own: Path
) -> None:
    records.put(running.environ, Record(Name("github"), "environment", ("B",)))
    running.write('[credentials]\nuse = ["github", "my-own"]\n', trusted=True)
    running.start()
    running.follow()
    before = running.pushed[-1].credentials
    own.unlink()
    for _ in range(2):
        running.follow()
        labels = [label for label, _ in running.pushed[-1].credentials]
        assert labels and not any(label.startswith("my-own") for label in labels)
    own.write_text(OWN)
    own.chmod(0o600)
    running.follow()
    assert running.pushed[-1].credentials == before


def test_a_service_that_is_described_anew_while_a_sandbox_starts_is_not_used(
    running: Running, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its plan has the form of before, and so what its gateway was sent."""
    monkeypatch.setenv("A", "marked-9a")
    monkeypatch.setattr(resolve.roots, "pem", lambda _environ: "")
    planned = running.uses()
    own.write_text(OWN.replace('["/"]', '["/only/"]'))
    sent = resolve.resolve(planned, {**running.environ, "A": "marked-9a"})
    assert sent.credentials.bindings[0].paths == ("/",)
    project, rights = running.give()
    given_at_start.note(project, running.container, rights, serials=sent.serials)
    running.follow()
    assert running.pushed[-1].credentials == ()
