"""What was taken back stays so where files cannot be read, are too many, or belong to another container."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.egress.policy import Policy, decide
from sandboxd.engine.client import Summary
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.life import find, lock
from sandboxd.life import gateway as gateways
from sandboxd.model.labels import GATEWAY
from sandboxd.operations import _groups, gateway, given_at_start, start
from sandboxd.operations.egress.actions import act
from sandboxd.plan import workspace
from sandboxd.policy import trust
from sandboxd.project import Project
from sandboxd.state import given_rights
from sandboxd.state.given_rights import GivenRights
from tests.unit.operations.running_project import LISTED, OF_PROFILE, Running, play


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    return play(tmp_path, monkeypatch)


def test_what_the_config_takes_away_counts_where_the_rest_of_the_project_cannot_be_read(
    running: Running,
) -> None:
    """A program inside can make it so, and must keep nothing by that."""
    records.put(running.environ, Record(Name("github"), "file"))
    asks = '[credentials]\nuse = ["github"]\n[network]\nallow = ["a.example.org", "pypi"]\n'
    running.write(asks, trusted=True)
    running.start()
    (running.path / ".devcontainer.json").symlink_to("/")
    followed = running.follow()
    assert followed is not None and followed.is_unread and "symbolic link" in followed.problem
    assert running.lets_through("a.example.org") and running.pushed[-1].credentials
    running.write('[network]\nallow = ["b.example.org", "pypi"]\n', trusted=True)
    followed = running.follow()
    assert followed is not None and followed.is_unread
    assert running.lets_through(OF_PROFILE) and running.pushed[-1].credentials == ()
    assert not running.lets_through("a.example.org")
    assert not running.lets_through("b.example.org"), "what is new waits until all can be read"
    running.write('[network]\nmode = "none"\n', trusted=False)
    running.follow()
    assert running.pushed[-1].rules == ()
    (running.path / ".devcontainer.json").unlink()
    running.write(asks, trusted=True)
    followed = running.follow()
    assert followed is not None and not followed.is_unread
    assert running.lets_through("a.example.org")


def test_an_unreadable_folder_keeps_nothing_that_the_config_takes_away(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.write('[network]\nallow = ["a.example.org", "c.example.org"]\n', trusted=True)
    running.follow()

    def refuse(path: str) -> Any:
        raise UsageError(f"`{path}` cannot be read", "make it readable")

    monkeypatch.setattr("sandboxd.project.hosts_near", refuse)
    running.write('[network]\nallow = ["a.example.org"]\n', trusted=True)
    followed = running.follow()
    assert followed is not None and followed.is_unread
    assert running.lets_through("a.example.org") and not running.lets_through("c.example.org")


def test_the_secrets_of_one_container_are_not_for_the_next(running: Running) -> None:
    """An editor replaces the one of `up`, and its gateway goes on."""
    records.put(running.environ, Record(Name("github"), "file"))
    running.write('[credentials]\nuse = ["github"]\n', trusted=True)
    running.start()
    running.follow()
    assert running.pushed[-1].credentials
    running.container = "c2"
    for _ in range(2):
        running.follow()
        assert running.pushed[-1].credentials == () and running.lets_through(OF_PROFILE)
    running.container = "c3"
    running.start()
    running.follow()
    assert running.pushed[-1].credentials, "an `up` sends those of its own"


def test_a_start_gets_its_secrets_before_it_is_known_which_container_runs(running: Running) -> None:
    """The gateway is looked at as soon as the engine tells of the container."""
    records.put(running.environ, Record(Name("github"), "file"))
    running.write('[credentials]\nuse = ["github"]\n', trusted=True)
    running.start()
    running.container = "c2"
    running.give()
    running.follow()
    assert running.pushed[-1].credentials


def test_a_config_that_cannot_be_read_gives_nothing_of_one_container_to_the_next(
    running: Running,
) -> None:
    records.put(running.environ, Record(Name("github"), "file"))
    text = LISTED + '[credentials]\nuse = ["github"]\n'
    running.write(text, trusted=True)
    running.start()
    (running.path / "sandboxd.toml").write_text("profile = ")
    running.follow()
    assert running.lets_through("a.example.org") and running.pushed[-1].credentials
    running.container = "c2"
    for _ in range(3):
        running.follow()
        assert running.pushed[-1].rules == () and running.pushed[-1].credentials == ()
    running.write(text, trusted=True)
    for _ in range(2):
        running.follow()
        assert running.lets_through("a.example.org")
        assert running.pushed[-1].credentials == (), "the gateway has those of the container before"


def test_the_gateway_of_a_sandbox_that_is_stopped_lets_nothing_through(running: Running) -> None:
    """Anybody may start the container again, and no daemon may run then."""
    records.put(running.environ, Record(Name("github"), "file"))
    running.write(LISTED + '[credentials]\nuse = ["github"]\n', trusted=True)
    running.start()
    running.follow()
    assert running.lets_through("a.example.org") and running.pushed[-1].credentials
    running.is_stopped = True
    records.put(running.environ, Record(Name("github"), "file"))
    assert running.follow() is None
    assert running.pushed[-1].rules == () and running.pushed[-1].credentials == ()
    running.is_stopped = False
    running.follow()
    assert running.lets_through("a.example.org"), "what it may have it gets once it runs"
    assert running.pushed[-1].credentials == (), "and not the secret that was replaced meanwhile"


class Left:
    """An engine whose gateway runs, and whose own container is in `state`; '' for none."""

    def __init__(self, state: str, beside: str = "running") -> None:
        self.state, self.beside = state, beside

    def containers(self, label: str, **_options: object) -> list[Summary]:
        key, _, sandbox = label.partition("=")
        if key == GATEWAY:
            return [Summary("g", gateways.name_of(sandbox), "", self.beside, {key: sandbox}, 0)]
        return [Summary("c1", "app", "", self.state, {key: sandbox}, 0)] if self.state else []


@pytest.mark.parametrize(
    ("left", "container"),
    [
        (Left("exited"), "c1"),
        (Left(""), "c1"),
        (Left("running"), None),
        (Left("paused"), None),
        (Left("exited", beside="exited"), None),
    ],
)
def test_a_gateway_without_its_sandbox_is_found(
    tmp_path: Path, left: Any, container: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services of a project go on by it, also where its container was removed."""
    monkeypatch.setattr(find, "is_believed", lambda *_: True)
    environ = {"HOME": str(tmp_path)}
    assert gateway._stopped(Left(""), "/w", environ) is None, "nothing was ever given"  # type: ignore[arg-type]
    given_rights.keep(environ, "/w", GivenRights("c1", "d", Policy()))
    assert gateway._stopped(left, "/w", environ) == container


def test_a_sandbox_that_starts_again_between_two_looks_keeps_nothing(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `docker restart`: the first look met it stopped, the second one running."""
    running.write(LISTED, trusted=True)
    running.start()
    running.follow()
    trust.revoke(running.environ, os.path.realpath(running.path))
    looks: list[Any] = [None]

    def look(*_: object) -> Any:
        return looks.pop() if looks else running.container_of()

    monkeypatch.setattr(gateway, "running_sandbox", look)
    assert running.follow() is not None
    assert not running.lets_through("a.example.org")
    looks.extend([None, running.container_of()] * 3)
    looks.reverse()
    with pytest.raises(EnvironmentFailure, match="starts again"):
        running.follow()


def test_what_is_at_work_on_a_project_keeps_nothing_of_a_sandbox_that_is_stopped(
    running: Running,
) -> None:
    running.write(LISTED, trusted=True)
    running.start()
    running.follow()
    running.is_stopped = True
    with lock.project_lock(os.path.realpath(running.path), lambda _text: None):
        running.follow()
    assert running.pushed[-1].rules == ()


def test_a_start_that_was_taken_for_one_that_is_stopped_gives_again(running: Running) -> None:
    running.write(LISTED, trusted=True)
    project, rights = running.give()
    running.is_stopped = True
    running.follow()
    assert not running.lets_through("a.example.org")
    running.is_stopped = False
    given_at_start.note(project, running.container, rights)
    plan: Any = SimpleNamespace(
        egress=rights.planned, workspace=project.workspace, sandbox=project.sandbox, credentials=()
    )
    engine: Any = None
    start._follow_since(engine, plan, running.environ, rights, (), lambda: None)
    assert running.lets_through("a.example.org")


def test_names_that_are_lost_among_too_many_files_are_said(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.write("", trusted=False)
    project = Project.open(str(running.path), running.environ)
    _groups.keep(running.environ, project)
    followed = running.follow()
    assert followed is not None and followed.problem == "" and running.lets_through(OF_PROFILE)
    monkeypatch.setattr(workspace, "_MOST_ENTRIES", 0)
    followed = running.follow()
    assert followed is not None and "not all are checked" in followed.problem
    assert "`pypi`" in followed.problem and not running.lets_through(OF_PROFILE)
    running.write(LISTED, trusted=True)
    followed = running.follow()
    assert followed is not None and followed.problem == "", "no file selects what is listed"


def test_nothing_is_left_where_the_folder_of_the_project_is_gone(running: Running) -> None:
    """Its config is edited elsewhere from then on, and what that takes away would never be heard of."""
    records.put(running.environ, Record(Name("github"), "file"))
    running.write(LISTED + '[credentials]\nuse = ["github"]\n', trusted=True)
    running.start()
    running.follow()
    assert running.lets_through("a.example.org") and running.pushed[-1].credentials
    elsewhere = running.path.with_name("moved")
    running.path.rename(elsewhere)
    for _ in range(2):
        followed = running.follow()
        assert followed is not None and followed.is_shut and "no folder" in followed.problem
        assert running.pushed[-1].rules == () and running.pushed[-1].credentials == ()
    elsewhere.rename(running.path)
    followed = running.follow()
    assert followed is not None and not followed.is_shut
    assert running.lets_through("a.example.org") and running.pushed[-1].credentials


def test_a_config_above_gives_nothing_to_a_sandbox_whose_own_went(running: Running) -> None:
    """It is of another project, whose grants and answers are not for this one."""
    above = running.path.with_name("above")
    above.mkdir()
    running.path = running.path.rename(above / "app")
    wide = LISTED.replace("a.example.org", "above.example.org")
    (above / "sandboxd.toml").write_text(f'profile = "dev"\n{wide}')
    outer = Project.open(str(above), running.environ)
    trust.add(running.environ, trust.Grant(outer.workspace, outer.config.digest, "dev"))
    act("allow", str(above), running.environ, {"text": "later.example.org"})
    running.write('[network]\nallow = ["a.example.org", "pypi"]\n', trusted=True)
    act("deny", str(running.path), running.environ, {"text": OF_PROFILE})
    running.start()
    running.follow()
    assert running.lets_through("a.example.org") and not running.lets_through(OF_PROFILE)
    (running.path / "sandboxd.toml").unlink()
    running.follow()
    names = ("above.example.org", "later.example.org", "a.example.org", OF_PROFILE)
    assert [name for name in names if running.lets_through(name)] == []


def test_a_link_in_the_place_of_the_folder_leads_to_no_rights(running: Running) -> None:
    running.write(LISTED, trusted=True)
    running.start()
    running.follow()
    elsewhere = running.path.with_name("moved")
    running.path.rename(elsewhere)
    running.path.symlink_to(elsewhere)
    no_engine: Any = None
    followed = gateway.follow(no_engine, str(running.path), running.environ)
    assert followed is not None and followed.is_shut and "a link is in" in followed.problem
    assert running.pushed[-1].rules == ()


SSH = '[network]\nallow = ["forge.example.org:22", "b.example.org"]\n[credentials]\nuse = ["ssh"]\n'
KEY = "SHA256:" + 43 * "A"


def at_forge(policy: Policy) -> str:
    return decide(policy, "forge.example.org", 22, 0.0).reason


@pytest.mark.parametrize("host", ["forge.example.org", "forge.example.org:22"])
def test_logins_end_with_the_keys_by_which_they_were_made(running: Running, host: str) -> None:
    """Their host stays allowed, so that nothing else ends one that is open."""
    records.put(running.environ, Record(Name("ssh"), "ssh-agent", (KEY, host)))
    running.write(SSH, trusted=True)
    running.start()
    running.follow()
    assert [at_forge(each) for each in running.pushed] == ["allowed"]
    records.remove(running.environ, Name("ssh"))
    running.follow()
    assert [at_forge(each) for each in running.pushed] == ["allowed", "no-rule", "allowed"]
    assert running.pushed[1].rules == (), "its server may have other names"
    running.follow()
    assert len(running.pushed) == 3, "once"


def test_logins_end_where_one_host_goes(running: Running) -> None:
    hosts = ("forge.example.org", "b.example.org")
    records.put(running.environ, Record(Name("ssh"), "ssh-agent", (KEY, *hosts)))
    running.write(SSH, trusted=True)
    running.start()
    records.put(running.environ, Record(Name("ssh"), "ssh-agent", (KEY, hosts[1])))
    running.follow()
    assert [at_forge(each) for each in running.pushed] == ["allowed", "no-rule", "allowed"]


def test_half_a_file_ends_no_login_and_keeps_none_whose_key_is_gone(running: Running) -> None:
    records.put(running.environ, Record(Name("ssh"), "ssh-agent", (KEY, "forge.example.org")))
    running.write(SSH, trusted=True)
    running.start()
    running.write("[network", trusted=False)
    running.follow()
    assert {at_forge(each) for each in running.pushed} == {"allowed"}
    records.remove(running.environ, Name("ssh"))
    running.follow()
    assert [at_forge(each) for each in running.pushed[-2:]] == ["no-rule", "allowed"]
    pushed = len(running.pushed)
    running.follow()
    assert len(running.pushed) == pushed, "once"


def test_a_policy_without_ssh_ends_logins_though_the_config_cannot_be_read(
    running: Running,
) -> None:
    records.put(running.environ, Record(Name("ssh"), "ssh-agent", (KEY, "forge.example.org")))
    running.write(SSH, trusted=True)
    running.start()
    running.write("[network", trusted=False)
    running.follow()
    policy = Path(running.environ["XDG_CONFIG_HOME"], "sandboxd", "policy.toml")
    policy.write_text('credentials = ["github", "ssh"]\n')
    running.follow()
    assert {at_forge(each) for each in running.pushed} == {"allowed"}
    policy.write_text('credentials = ["github"]\n')
    running.follow()
    assert [at_forge(each) for each in running.pushed[-2:]] == ["no-rule", "allowed"]


def test_logins_end_with_names_that_go_in_the_same_moment(running: Running) -> None:
    records.put(running.environ, Record(Name("ssh"), "ssh-agent", (KEY, "forge.example.org")))
    running.write(SSH, trusted=True)
    running.start()
    running.write(SSH.replace("b.example.org", "c.example.org").replace('"ssh"', ""), trusted=True)
    running.follow()
    assert at_forge(running.pushed[-1]) == "allowed" and running.lets_through("c.example.org")
    assert "no-rule" in map(at_forge, running.pushed)
    assert not running.lets_through("b.example.org")
