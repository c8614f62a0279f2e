"""What a running sandbox was given is taken back first, and given only where somebody agreed and it is recorded."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from sandboxd.audit import chain, notes
from sandboxd.audit.record import Record as Audit
from sandboxd.audit.record import RecordFailure
from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.egress.policy import Policy
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import gateway as gateways
from sandboxd.life import lock, networks
from sandboxd.operations import _present_rights
from sandboxd.operations.egress.actions import act
from tests.patience import PATIENCE
from tests.unit.operations.running_project import LISTED, OF_PROFILE, Running, play


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    return play(tmp_path, monkeypatch)


def test_a_credential_that_is_removed_is_taken_from_the_gateway(running: Running) -> None:
    """Whatever secret the gateway holds by then: no port of it leads there any more."""
    records.put(running.environ, Record(Name("github"), "file"))
    running.write('[credentials]\nuse = ["github"]\n', trusted=True)
    running.follow()
    assert running.pushed[-1].credentials
    records.remove(running.environ, Name("github"))
    running.follow()
    assert running.pushed[-1].credentials == () and running.lets_through(OF_PROFILE)


def test_what_is_taken_back_ends_the_connections_that_it_allowed(running: Running) -> None:
    running.write(LISTED, trusted=True)
    running.follow()
    running.write(EMPTY, trusted=True)
    running.follow()
    assert not running.lets_through("a.example.org") and running.cuts[-1]


def test_nothing_is_read_or_given_beside_another_process_that_gives(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before that ends would be given after it."""
    running.write(LISTED, trusted=True)
    monkeypatch.setattr(lock, "_RIGHTS_SECONDS", 0.0)
    with (
        lock.rights_lock(running.environ, str(running.path)),
        pytest.raises(EnvironmentFailure, match="another sandboxd has given this sandbox"),
    ):
        running.follow()
    assert running.pushed == []


EMPTY = "[network]\nallow = []\n"
MORE = '[credentials]\nuse = ["github"]\n'


@pytest.mark.parametrize("edit", ["", MORE, "# nothing\n"])
def test_what_an_edit_opens_in_a_sandbox_that_runs_waits_for_the_grant(
    running: Running, edit: str
) -> None:
    """The line that took the profile's names away goes, and nobody agreed to that."""
    running.write(EMPTY, trusted=True)
    running.follow()
    running.write(edit, trusted=False)
    followed = running.follow()
    assert not running.lets_through(OF_PROFILE)
    assert followed is not None and followed.problem
    verdict = act("check", str(running.path), running.environ, {"text": OF_PROFILE})
    assert not verdict["allowed"], "and who asks hears the same"
    running.write(edit, trusted=True)
    running.follow()
    assert running.lets_through(OF_PROFILE)


def test_an_edit_is_bounded_by_what_was_granted_last(running: Running) -> None:
    running.write(EMPTY, trusted=True)
    running.follow()
    running.write(LISTED, trusted=True)
    running.follow()
    assert running.lets_through("a.example.org")
    running.write("", trusted=False)
    running.follow()
    assert not running.lets_through(OF_PROFILE)
    running.write(LISTED, trusted=False)
    running.follow()
    assert running.lets_through("a.example.org"), "its grant is there"


def test_an_answer_counts_beside_an_edit_that_waits(running: Running) -> None:
    running.write(EMPTY, trusted=True)
    running.follow()
    running.write("", trusted=False)
    act("allow", str(running.path), running.environ, {"text": "mine.example.org"})
    running.follow()
    assert running.lets_through("mine.example.org") and not running.lets_through(OF_PROFILE)


def test_the_next_container_is_not_bounded_by_the_last_one(running: Running) -> None:
    running.write(EMPTY, trusted=False)
    running.follow()
    running.write("", trusted=False)
    running.container = "c2"
    running.follow()
    assert running.lets_through(OF_PROFILE)


def test_what_is_taken_back_waits_for_no_record_and_what_is_given_does(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.write(LISTED, trusted=True)
    running.follow()
    running.write(LISTED.replace("a.", "b."), trusted=True)

    def full(*_: object, **__: object) -> None:
        raise RecordFailure("the disk is full", "make room")

    with monkeypatch.context() as patch:
        patch.setattr(notes, "require", full)
        with pytest.raises(RecordFailure):
            running.follow()
    for name in ("a.example.org", "b.example.org"):
        assert not running.lets_through(name)
    running.follow()
    assert running.lets_through("b.example.org")
    record = Audit(notes.folder(running.environ))
    (entry,) = [
        each
        for each in chain.check(record.files(), record.marks()).entries
        if each.kind == "widened" and "a.example.org" not in each.facts["names"]
    ]
    assert entry.facts["names"] == ["b.example.org"]


def test_what_a_policy_gives_back_is_recorded_before_it_is_given(running: Running) -> None:
    folder = Path(running.environ["XDG_CONFIG_HOME"]) / "sandboxd"
    folder.mkdir(parents=True)
    running.write("", trusted=False)
    (folder / "policy.toml").write_text(f'network_deny = ["{OF_PROFILE}"]\n')
    running.follow()
    assert not running.lets_through(OF_PROFILE)
    (folder / "policy.toml").unlink()
    running.follow()
    assert running.lets_through(OF_PROFILE)
    record = Audit(notes.folder(running.environ))
    *_, entry = chain.check(record.files(), record.marks()).entries
    assert entry.kind == "widened" and OF_PROFILE in entry.facts["names"]


def test_what_somebody_else_gave_goes_as_a_whole_before_anything_is_given(running: Running) -> None:
    """Nobody knows what of it is too much."""
    running.write(LISTED, trusted=True)
    running.follow()
    running.pushed.append(Policy(version=7))
    running.follow()
    closed, last = running.pushed[-2:]
    assert closed.rules == () and last.rules


def test_a_gateway_whose_networks_are_gone_gets_no_policy(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which addresses are the host's own nobody knows then, and the policy would not forbid them."""
    running.write(LISTED, trusted=True)
    monkeypatch.setattr(networks, "pair_of", lambda *_: None)
    with pytest.raises(EnvironmentFailure, match="the networks of this sandbox's gateway are gone"):
        running.follow()
    assert running.pushed == []


def test_what_was_read_earlier_is_never_given_later(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor by another thread or process: the second one reads once the first one has given."""
    running.write(LISTED, trusted=True)
    begun, may_end = threading.Event(), threading.Event()
    read: list[float] = []
    pushed = gateways.push

    def push(*words: Any, **more: Any) -> None:
        begun.set()
        may_end.wait(PATIENCE)
        pushed(*words, **more)

    def rights(*words: Any) -> Any:
        read.append(0.0)
        return real(*words)

    real = _present_rights.read_by
    monkeypatch.setattr(_present_rights, "read_by", rights)
    monkeypatch.setattr(gateways, "push", push)
    threads = [threading.Thread(target=running.follow) for _ in range(2)]
    threads[0].start()
    assert begun.wait(PATIENCE)
    threads[1].start()
    # Time for the other one to read as well, if it can.
    threads[1].join(0.2)
    assert len(read) == 1
    running.write(LISTED.replace("a.", "b."), trusted=True)
    may_end.set()
    for thread in threads:
        thread.join()
    assert running.lets_through("b.example.org") and not running.lets_through("a.example.org")
