"""Where a policy, the grants or the answers cannot be read, a sandbox goes on for a moment, and then lets nothing through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.egress.policy import Policy
from sandboxd.errors import UsageError
from sandboxd.operations import _present_rights
from sandboxd.operations.egress.actions import act
from sandboxd.policy import approvals, floor, trust
from sandboxd.policy.unreadable import LONGEST_SECONDS
from tests.unit.operations.running_project import LISTED, OF_PROFILE, Running, play

FILES = (floor.FILE_NAME, trust.FILE_NAME, approvals.FILE_NAME)


class Broken:
    """A sandbox that runs, and one of the files by which, which can be broken and mended; `later` is what passed."""

    def __init__(self, running: Running, name: str) -> None:
        self.running, self.later = running, 0.0
        self.path = Path(running.environ["XDG_CONFIG_HOME"], "sandboxd", name)
        records.put(running.environ, Record(Name("github"), "file"))
        running.write(LISTED + '[credentials]\nuse = ["github"]\n', trusted=True)
        act("allow", str(running.path), running.environ, {"text": "mine.example.org"})
        (self.path.parent / floor.FILE_NAME).write_text('network_deny = ["other.example.org"]\n')
        running.start()
        running.follow()
        self._text = self.path.read_text()

    def spoil(self) -> None:
        self.path.write_text(f"{self._text}half a line")

    def mend(self) -> None:
        self.path.write_text(self._text)

    def has_all(self) -> bool:
        names = ("a.example.org", "mine.example.org")
        credentials = self.running.pushed[-1].credentials
        return all(map(self.running.lets_through, names)) and bool(credentials)

    def has_nothing(self) -> bool:
        return self.running.pushed[-1]._replace(version=0) == Policy()


@pytest.fixture(params=FILES)
def broken(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Broken:
    import time

    one = Broken(play(tmp_path, monkeypatch), request.param)
    monkeypatch.setattr(
        _present_rights, "time", SimpleNamespace(time=lambda: time.time() + one.later)
    )
    return one


def test_a_file_that_stays_unreadable_ends_all_that_is_given(broken: Broken) -> None:
    assert broken.has_all()
    broken.spoil()
    with pytest.raises(UsageError):
        broken.running.follow()
    assert broken.has_all(), "somebody is writing it"
    broken.later = LONGEST_SECONDS
    followed = broken.running.follow()
    assert followed is not None and followed.is_shut and broken.path.name in followed.problem
    assert broken.has_nothing()
    broken.mend()
    followed = broken.running.follow()
    assert followed is not None and not followed.is_shut and broken.has_all()


def test_half_a_file_that_is_whole_again_ends_nothing(broken: Broken) -> None:
    pushed = len(broken.running.pushed)
    broken.spoil()
    with pytest.raises(UsageError):
        broken.running.follow()
    broken.mend()
    broken.later = LONGEST_SECONDS
    broken.running.follow()
    assert len(broken.running.pushed) == pushed


def test_credentials_of_which_nobody_knows_the_record_are_not_used_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(play(tmp_path, monkeypatch), records.FILE_NAME)
    running, sandboxd_toml = broken.running, broken.running.path / "sandboxd.toml"
    whole = sandboxd_toml.read_text()
    broken.spoil()
    for text in (whole, "profile =", whole):
        sandboxd_toml.write_text(text)
        followed = running.follow()
        assert followed is not None and records.FILE_NAME in followed.no_credentials
        assert running.pushed[-1].credentials == () and running.lets_through("a.example.org")
    broken.mend()
    followed = running.follow()
    assert followed is not None and followed.no_credentials == "" and broken.has_all()


def _remove_what_it_leads_to(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    "spoil", [lambda path: path.chmod(0o666), _remove_what_it_leads_to], ids=["mode", "link"]
)
def test_what_makes_it_so_is_no_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None]
) -> None:
    running = play(tmp_path, monkeypatch)
    running.write("", trusted=False)
    running.start()
    running.follow()
    policy = Path(running.environ["XDG_CONFIG_HOME"], "sandboxd", floor.FILE_NAME)
    policy.parent.mkdir(parents=True, exist_ok=True)
    policy.write_text("trust = false\n")
    running.follow()
    spoil(policy)
    with pytest.raises(UsageError):
        running.follow()
    assert running.lets_through(OF_PROFILE)
    monkeypatch.setattr(_present_rights, "time", SimpleNamespace(time=lambda: 4e9))
    followed = running.follow()
    assert followed is not None and followed.is_shut and running.pushed[-1].rules == ()
