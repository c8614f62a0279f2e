"""What an edit of the policy gives back is in the record before it counts."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandboxd import file_lock
from sandboxd.audit import chain, notes
from sandboxd.audit.record import Record, RecordFailure
from sandboxd.errors import EnvironmentFailure
from sandboxd.policy import in_force
from sandboxd.policy.floor import NO_FLOOR, Demand, Floor, combine
from sandboxd.policy.in_force import keys_given_back

Files = tuple[Path, Path]


@pytest.fixture
def environ(files: Files, tmp_path: Path) -> Mapping[str, str]:
    return {
        "XDG_CONFIG_HOME": str(files[1].parent.parent),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }


@pytest.fixture
def look(files: Files, environ: Mapping[str, str]) -> Callable[[], Floor]:
    """What any command does that gives a sandbox something."""
    return lambda: in_force.in_force(environ, str(files[0]))


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No entry can be written; everything else can."""

    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Record, "_write", write)


def entries(environ: Mapping[str, str]) -> list[dict[str, Any]]:
    record = Record(notes.folder(environ))
    read = chain.check(record.files(), record.marks()).entries
    assert {entry.kind for entry in read} <= {"policy"}
    return [dict(entry.facts) for entry in read]


def test_what_an_edit_gives_back_is_recorded_once(
    files: Files, environ: Mapping[str, str], look: Callable[[], Floor]
) -> None:
    files[1].write_text('network_deny = ["evil.example"]\ntrust = false\n')
    look()
    assert entries(environ) == []
    files[1].write_text("trust = false\n")
    assert look() == look() == combine([Demand("trust", False, str(files[1]))])
    assert entries(environ) == [
        {
            "gives_back": ["network_deny"],
            "was": [f'network_deny = ["evil.example"] ({files[1]})'],
            "now": [],
        }
    ]


def test_who_read_an_earlier_policy_does_not_bring_it_back(
    files: Files,
    environ: Mapping[str, str],
    look: Callable[[], Floor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It waited for the lock while the policy was edited and another one recorded that."""
    files[1].write_text('network_deny = ["evil.example"]\n')
    real = in_force.locked_beside

    def late(path: str, **given: Any) -> Any:
        monkeypatch.setattr(in_force, "locked_beside", real)
        look()
        files[1].write_text("")
        look()
        return real(path, **given)

    monkeypatch.setattr(in_force, "locked_beside", late)
    assert look().demands == ()
    look()
    assert [facts["gives_back"] for facts in entries(environ)] == [["network_deny"]]


def test_what_an_edit_takes_away_counts_while_another_process_stands_still_with_the_lock(
    files: Files,
    environ: Mapping[str, str],
    look: Callable[[], Floor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(in_force, "_LOCK_SECONDS", 0.1)
    files[1].write_text('network_deny = ["evil.example"]\n')
    look()
    files[1].write_text('runtime = "gvisor"\n')
    with file_lock.locked_beside(in_force._path(environ)):
        held = look()
    assert held.gvisor
    assert held.network_deny, "what it gives back is not recorded yet"
    assert entries(environ) == []
    assert not look().network_deny
    assert [entry["gives_back"] for entry in entries(environ)] == [["network_deny"]]


def test_a_policy_that_is_gone_gave_all_back(
    files: Files, environ: Mapping[str, str], look: Callable[[], Floor]
) -> None:
    for file in files:
        file.write_text('runtime = "gvisor"\nprofiles = ["agent"]\n')
    look()
    files[1].unlink()
    assert look().gvisor
    assert entries(environ) == [], "the organisation's file demands the same"
    files[0].unlink()
    assert look() == NO_FLOOR
    assert [entry["gives_back"] for entry in entries(environ)] == [["runtime", "profiles"]]


def test_an_edit_that_only_takes_away_is_no_entry(
    files: Files, environ: Mapping[str, str], look: Callable[[], Floor]
) -> None:
    files[1].write_text('network_allow = ["pypi", "example.com"]\nprofiles = ["dev", "agent"]\n')
    look()
    files[1].write_text('network_allow = ["pypi"]\nprofiles = ["agent"]\nruntime = "gvisor"\n')
    look()
    files[1].write_text('runtime = "gvisor"\nprofiles = ["agent"]\nnetwork_allow = ["pypi"]\n')
    look()
    assert entries(environ) == []


def test_nothing_is_given_back_before_it_is_recorded(
    files: Files, environ: Mapping[str, str], look: Callable[[], Floor], full_disk: None
) -> None:
    files[1].write_text('network_deny = ["evil.example"]\nprofiles = ["dev", "agent"]\n')
    first = look()
    files[1].write_text('profiles = ["agent"]\n')
    now = look()
    assert now.network_deny == first.network_deny != ()
    assert now.profiles == {"agent"}, "what is taken away counts at once"
    with pytest.raises(RecordFailure):
        in_force.require(environ, str(files[0]))


def test_it_is_given_back_once_there_is_room(
    files: Files,
    environ: Mapping[str, str],
    look: Callable[[], Floor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files[1].write_text('network_deny = ["evil.example"]\n')
    look()
    files[1].write_text("")
    with monkeypatch.context() as patched:
        patched.setattr(Record, "append", _fail)
        assert look().network_deny
    assert look() == NO_FLOOR
    assert len(entries(environ)) == 1


def _fail(*_: object) -> None:
    raise RecordFailure("no room", "make some")


def test_where_it_is_not_known_what_was_demanded_that_is_recorded_or_nothing_goes_on(
    files: Files,
    environ: Mapping[str, str],
    look: Callable[[], Floor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files[1].write_text("trust = false\n")
    look()
    path = Path(in_force._path(environ))
    path.write_text("{")
    with monkeypatch.context() as patched:
        patched.setattr(Record, "append", _fail)
        with pytest.raises(EnvironmentFailure, match="not known what the policy demanded before"):
            look()
    assert look().no_trust
    (entry,) = entries(environ)
    assert "cannot be read" in entry["was"][0]
    assert json.loads(path.read_text())["demands"] == [["trust", False, str(files[1])]]


def test_without_any_policy_nothing_is_written(
    environ: Mapping[str, str], look: Callable[[], Floor], tmp_path: Path
) -> None:
    assert look() == NO_FLOOR
    assert not (tmp_path / "state").exists()


EVERY_KEY: dict[str, tuple[object, object]] = {
    "profiles": (["dev"], ["dev", "agent"]),
    "capabilities": (["KILL"], ["KILL", "CHOWN"]),
    "credentials": ([], ["npm"]),
    "enforce": (["docker-socket-mounted"], []),
    "network_allow": (["pypi"], ["pypi", "npm"]),
    "network_deny": (["a.example", "b.example"], ["a.example"]),
    "clusters": (["work"], ["work", "home"]),
    "hide": ([".env", "secrets/"], [".env"]),
    "cluster_namespaces": (["mine"], ["mine", "kube-system"]),
    "runtime": ("gvisor", None),
    "network": ("none", "allow"),
    "network_private": (False, None),
    "layout": ("clone", None),
    "gpus": (False, None),
    "allow_runc": (False, None),
    "trust": (False, None),
    "nested_sandbox": ("off", None),
    "cluster_secrets": (False, None),
    "daemon": (False, None),
    "network_proxy": ("http://proxy.corp.example:3128", None),
    "caches": ("1 GiB", "2 GiB"),
    "limits": ({"memory": "4g", "processes": 512}, {"memory": "8g", "processes": 512}),
}
"""A demand, and a looser one of the same key, None for none at all."""


@pytest.mark.parametrize("key", EVERY_KEY)
def test_each_demand_that_is_loosened_or_gone_is_given_back(key: str) -> None:
    tight, loose = EVERY_KEY[key]
    before = combine([Demand(key, tight, "/p")])
    after = combine([Demand(key, loose, "/p")]) if loose is not None else NO_FLOOR
    assert keys_given_back(before, after) == (key,)
    assert keys_given_back(before, NO_FLOOR) == (key,)
    assert keys_given_back(after, before) == ()
    assert keys_given_back(before, before) == ()


def test_each_key_of_a_policy_is_among_them() -> None:
    from sandboxd.policy import floor

    of_the_way = {"gateway_image", "network_ca", "network_proxy_except"}
    assert EVERY_KEY.keys() == set(floor._KEYS) - of_the_way


def test_a_proxy_and_its_exceptions_are_compared_together() -> None:
    proxy = Demand("network_proxy", "http://proxy.corp.example:3128", "/p")
    both = combine([proxy, Demand("network_proxy_except", ["a.example"], "/p")])
    assert keys_given_back(both, both) == ()
    assert keys_given_back(both, NO_FLOOR) == ("network_proxy", "network_proxy_except")
