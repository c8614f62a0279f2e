"""The running gateway's policy follows what the project's files and its user say now."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandboxd.credentials import records
from sandboxd.credentials.name import Name
from sandboxd.credentials.records import Record
from sandboxd.egress.broker_wire import Credentials
from sandboxd.egress.policy import Policy
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import egress, lock
from sandboxd.model.labels import EDITOR, UP
from sandboxd.operations import _groups, gateway, gateway_start
from sandboxd.operations.egress.actions import act
from sandboxd.policy import floor, trust
from sandboxd.policy.gateway_rights import GatewayRights
from sandboxd.project import Project
from sandboxd.project.rights import rights_now, rights_of_plan
from sandboxd.state import chosen_groups
from tests.patience import PATIENCE
from tests.unit.operations.running_project import (
    LISTED,
    NETWORK,
    OF_CRATES,
    OF_PROFILE,
    Running,
    play,
)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    return play(tmp_path, monkeypatch)


def test_a_trusted_list_reaches_the_gateway_once(running: Running) -> None:
    running.write(LISTED, trusted=True)
    refreshed = running.follow()
    assert refreshed is not None and refreshed.problem == ""
    assert running.lets_through("a.example.org") and not running.lets_through(OF_PROFILE)
    assert running.follow() == refreshed
    assert len(running.pushed) == 1


def test_without_trust_the_gateway_and_the_commands_say_the_same(running: Running) -> None:
    """A file that was edited after the grant: nobody agreed to its list, so it opens nothing.

    Not the names of the profile either: the list that was granted had taken them away.
    """
    running.write(LISTED, trusted=True)
    running.write(LISTED.replace("a.", "b."), trusted=False)
    refreshed = running.follow()
    assert refreshed is not None and "cannot loosen the network" in refreshed.problem
    for name in ("a.example.org", "b.example.org", OF_PROFILE):
        verdict = act("check", str(running.path), running.environ, {"text": name})
        assert verdict["allowed"] == running.lets_through(name) is False


@pytest.mark.parametrize(
    "edit",
    [
        '[credentials]\nuse = ["github"]\n[network]\nallow = []\n',
        '[network]\nallow = []\nprivate = ["10.1.2.3:80"]\n',
        '[network]\nallow = ["b.example.org"]\n',
    ],
)
def test_an_edit_that_nobody_agreed_to_widens_nothing(running: Running, edit: str) -> None:
    running.write("[network]\nallow = []\n", trusted=True)
    running.follow()
    assert running.pushed[-1].rules == ()
    running.write(edit, trusted=False)
    refreshed = running.follow()
    assert refreshed is not None and refreshed.problem
    assert running.pushed[-1].rules == () and running.pushed[-1].credentials == ()


def test_what_an_edit_takes_away_counts_at_once(running: Running) -> None:
    running.write('[network]\nallow = ["a.example.org", "pypi"]\n', trusted=True)
    running.follow()
    running.write('[network]\nallow = ["b.example.org", "pypi"]\n', trusted=False)
    running.follow()
    assert running.lets_through(OF_PROFILE)
    assert not running.lets_through("a.example.org")
    assert not running.lets_through("b.example.org")
    running.write('[credentials]\nuse = ["github"]\n[network]\nmode = "none"\n', trusted=False)
    running.follow()
    assert not running.lets_through(OF_PROFILE)


def test_the_source_of_the_names_is_said(running: Running) -> None:
    def source() -> str:
        project = Project.open(str(running.path), running.environ)
        return rights_now(project, "c1", 0.0).source

    running.write('[network]\nmode = "allow"\n', trusted=False)
    assert source() == "profile"
    running.write("[network]\nprivate = ['10.1.2.3:80']\n", trusted=False)
    assert source() == "profile"
    running.write(LISTED, trusted=True)
    assert source() == "sandboxd.toml"


def test_what_is_refused_beside_the_network_keeps_no_policy_from_being_in_force(
    running: Running,
) -> None:
    """The sandbox goes on with its capability, and without what is taken back."""
    with_capability = '[capabilities]\nadd = ["KILL"]\n' + LISTED
    running.write(with_capability, trusted=True)
    running.follow()
    assert running.lets_through("a.example.org")
    folder = Path(running.environ["XDG_CONFIG_HOME"]) / "sandboxd"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.toml").write_text('capabilities = []\nnetwork_deny = ["a.example.org"]\n')
    followed = running.follow()
    assert followed is not None and "KILL" in followed.problem
    assert not running.lets_through("a.example.org")


def test_a_profile_that_may_not_be_chosen_any_more_opens_nothing(running: Running) -> None:
    running.write(LISTED, trusted=True)
    running.follow()
    folder = Path(running.environ["XDG_CONFIG_HOME"]) / "sandboxd"
    (folder / "policy.toml").write_text('profiles = ["review"]\n')
    followed = running.follow()
    assert followed is not None and "profile `dev` is not allowed" in followed.problem
    assert running.pushed[-1].rules == ()


def test_a_config_that_cannot_be_read_keeps_nothing_that_was_taken_back(running: Running) -> None:
    """And what is not taken back goes on: half a line is saved while somebody writes."""
    records.put(running.environ, Record(Name("github"), "file"))
    running.write('[credentials]\nuse = ["github"]\n' + LISTED, trusted=True)
    running.start()
    assert running.pushed[-1].credentials and running.lets_through("a.example.org")
    (running.path / "sandboxd.toml").write_text("profile = ")
    followed = running.follow()
    assert followed is not None and followed.problem
    assert running.pushed[-1].credentials and running.lets_through("a.example.org")
    records.remove(running.environ, Name("github"))
    running.follow()
    assert running.pushed[-1].credentials == () and running.lets_through("a.example.org")
    trust.revoke(running.environ, os.path.realpath(running.path))
    running.follow()
    assert running.pushed[-1].rules == ()


def test_an_open_network_that_waits_for_the_next_start_keeps_nothing_that_was_taken_back(
    running: Running,
) -> None:
    records.put(running.environ, Record(Name("github"), "file"))
    running.write('[credentials]\nuse = ["github"]\n' + LISTED, trusted=True)
    running.start()
    running.write('[credentials]\nuse = ["github"]\n[network]\nmode = "open"\n', trusted=True)
    followed = running.follow()
    assert followed is not None and "open" in followed.problem
    assert running.pushed[-1].credentials and running.lets_through("a.example.org")
    records.remove(running.environ, Name("github"))
    running.follow()
    assert running.pushed[-1].credentials == () and running.lets_through("a.example.org")
    policy = Path(running.environ["XDG_CONFIG_HOME"]) / "sandboxd" / "policy.toml"
    policy.write_text('network_deny = ["a.example.org"]\n')
    running.follow()
    assert not running.lets_through("a.example.org")


def test_another_account_does_not_work_with_the_secret_of_the_one_that_was_removed(
    running: Running,
) -> None:
    """The gateway holds the secret of the start until the next one."""
    records.put(running.environ, Record(Name("github", "work"), "file"))
    running.write('[credentials]\nuse = ["github"]\n', trusted=True)
    running.start()
    assert running.pushed[-1].credentials
    records.remove(running.environ, Name("github", "work"))
    running.follow()
    for account in ("home", "work"):
        records.put(running.environ, Record(Name("github", account), "file"))
        running.follow()
        assert running.pushed[-1].credentials == ()
        records.remove(running.environ, Name("github", account))
    records.put(running.environ, Record(Name("github", "home"), "file"))
    running.start()
    assert running.pushed[-1].credentials


def test_of_a_project_without_a_network_the_gateway_lets_nothing_through(running: Running) -> None:
    running.write('[network]\nmode = "none"\n', trusted=False)
    assert running.follow() is not None
    assert running.pushed[-1]._replace(version=0) == Policy()


@pytest.fixture
def behind_a_proxy(running: Running) -> Path:
    """The file with the user's login at the proxy that the policy names."""
    folder = Path(running.environ["XDG_CONFIG_HOME"]) / "sandboxd"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.toml").write_text('network_proxy = "http://proxy.example.net:3128"\n')
    file = folder / "proxy-credentials"
    file.write_text("me:secret\n")
    file.chmod(0o600)
    return file


def logins(running: Running) -> list[str]:
    """The login at the proxy in each policy that the gateway was given."""
    upstreams = [policy.upstream for policy in running.pushed]
    return [upstream.credentials for upstream in upstreams if upstream is not None]


def test_the_login_at_a_proxy_stays_after_a_save(running: Running, behind_a_proxy: Path) -> None:
    running.write(LISTED, trusted=True)
    first = running.follow()
    assert first is not None and logins(running) == ["me:secret"]
    assert running.follow() == first and len(running.pushed) == 1
    running.write(LISTED.replace("a.", "b."), trusted=True)
    running.follow()
    assert set(logins(running)) == {"me:secret"}
    behind_a_proxy.write_text("me:another\n")
    running.follow()
    assert logins(running)[-1] == "me:another"


def test_a_start_and_a_refresh_have_the_same_policy(running: Running, behind_a_proxy: Path) -> None:
    """Another version would cut all connections within a second of each start."""
    running.write('[network]\nmode = "allow"\n', trusted=False)
    running.follow()
    project = Project.open(str(running.path), running.environ)
    plan: Any = SimpleNamespace(
        egress=project.network(floor.load(running.environ)).policy,
        workspace=project.workspace,
        sandbox=project.sandbox,
        credentials=(),
    )
    started = rights_of_plan(plan, running.environ, 0.0).gateway
    assert started is not None
    assert started.policy == running.pushed[-1]._replace(version=0)


def test_a_login_that_others_can_read_is_left_out_and_said(
    running: Running, behind_a_proxy: Path
) -> None:
    """And nothing else of the policy: what was taken back is not in force for that."""
    behind_a_proxy.chmod(0o644)
    running.write('[network]\nmode = "allow"\n', trusted=False)
    refreshed = running.follow()
    assert refreshed is not None and "can be read by others" in refreshed.no_login
    assert logins(running) == [""] and running.lets_through(OF_PROFILE)


def test_a_gateway_that_is_mended_logs_in_at_the_proxy(
    running: Running, behind_a_proxy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.write(LISTED, trusted=True)

    def prepare(_engine: object, _sandbox: str, rights: GatewayRights, *_: object) -> Any:
        running.pushed.append(rights.policy)
        return SimpleNamespace(rights=rights)

    monkeypatch.setattr(egress, "prepare", prepare)
    monkeypatch.setattr(egress, "follow", lambda *_: None)
    workspace = os.path.realpath(running.path)
    engine: Any = None
    assert gateway_start.mend(engine, workspace, running.environ)
    assert logins(running) == ["me:secret"]


@pytest.mark.parametrize("made_by", [UP, EDITOR, ""])
def test_only_a_sandbox_of_up_gets_the_secrets_that_up_read(
    running: Running, monkeypatch: pytest.MonkeyPatch, made_by: str
) -> None:
    """An editor starts its own after an `up` that had them."""
    running.write(LISTED, trusted=True)
    running.made_by = made_by
    given: list[object] = []

    def prepare(*words: Any) -> Any:
        given.append(words[-2])
        return SimpleNamespace(rights=words[2])

    monkeypatch.setattr(egress, "prepare", prepare)
    monkeypatch.setattr(egress, "follow", lambda *_: None)
    workspace = os.path.realpath(running.path)
    engine: Any = None
    of_up = Credentials((), "PEM")
    kept = {running.container: of_up}
    assert gateway_start.mend(engine, workspace, running.environ, secrets_of=kept.get)
    assert given == ([of_up] if made_by == UP else [None])
    running.container = "made by another start"
    assert gateway_start.mend(engine, workspace, running.environ, secrets_of=kept.get)
    assert given[1:] == [None], "they are those of a start before it"


def test_who_gives_by_another_address_of_the_engine_waits_too(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what one of them read before something was taken back arrives after that."""
    running.write(LISTED, trusted=True)
    running.start()
    by_tcp = {**running.environ, "DOCKER_HOST": "tcp://127.0.0.1:2375"}
    workspace, engine = os.path.realpath(running.path), cast("Any", None)
    project = Project.open(workspace, running.environ)

    def read() -> Any:
        return rights_now(project, running.container, 0.0), project.config.digest

    def complete(rights: GatewayRights) -> GatewayRights:
        return rights.on_machine((), (), ())

    with gateway_start.giving(running.environ, workspace, read, NETWORK.inner.id, complete):
        monkeypatch.setattr(lock, "_RIGHTS_SECONDS", 0.0)
        with pytest.raises(EnvironmentFailure, match="another sandboxd has given"):
            gateway.follow(engine, workspace, by_tcp)
    monkeypatch.setattr(lock, "_RIGHTS_SECONDS", PATIENCE)
    assert gateway.follow(engine, workspace, by_tcp) is not None


def test_a_policy_that_takes_a_credential_away_takes_it_from_the_gateway(running: Running) -> None:
    records.put(running.environ, Record(Name("github"), "file"))
    running.write('[credentials]\nuse = ["github"]\n', trusted=True)
    running.follow()
    assert running.pushed[-1].credentials
    folder = Path(running.environ["XDG_CONFIG_HOME"]) / "sandboxd"
    (folder / "policy.toml").write_text("credentials = []\n")
    refreshed = running.follow()
    assert refreshed is not None and "`github`" in refreshed.problem
    assert not running.pushed[-1].credentials


def test_a_file_that_is_written_inside_opens_nothing(running: Running) -> None:
    running.write("", trusted=False)
    project = Project.open(str(running.path), running.environ)
    with _groups.hold(running.environ, project):
        (running.path / "Cargo.toml").write_text("[package]\n")
    running.follow()
    assert running.lets_through(OF_PROFILE)
    assert not running.lets_through(OF_CRATES)
    chosen_groups.forget(running.environ, project.workspace)
    running.follow()
    assert running.lets_through(OF_CRATES), "the next start looks anew"


def test_an_end_that_a_start_waited_for_does_not_change_the_choice(running: Running) -> None:
    running.write("", trusted=False)
    project = Project.open(str(running.path), running.environ)
    with _groups.hold(running.environ, project):
        pass
    with _groups.hold(running.environ, project) as save_again:
        chosen_groups.forget(running.environ, project.sandbox)
        (running.path / "Cargo.toml").write_text("[package]\n")
        save_again()
    running.follow()
    assert running.lets_through(OF_PROFILE) and not running.lets_through(OF_CRATES)
    chosen_groups.forget(running.environ, project.sandbox)
    with pytest.raises(RuntimeError), _groups.hold(running.environ, project) as save_again:
        chosen_groups.forget(running.environ, project.sandbox)
        save_again()
        raise RuntimeError
    assert chosen_groups.recall(running.environ, project.sandbox) is None


def test_a_start_that_fails_keeps_no_choice(running: Running) -> None:
    running.write("", trusted=False)
    project = Project.open(str(running.path), running.environ)
    with pytest.raises(RuntimeError), _groups.hold(running.environ, project):
        assert chosen_groups.recall(running.environ, project.workspace) == ("pypi",)
        raise RuntimeError
    assert chosen_groups.recall(running.environ, project.workspace) is None


def test_a_second_start_keeps_the_choice_of_the_first(running: Running) -> None:
    running.write("", trusted=False)
    project = Project.open(str(running.path), running.environ)
    assert _groups.keep(running.environ, project)
    (running.path / "Cargo.toml").write_text("[package]\n")
    assert not _groups.keep(running.environ, Project.open(str(running.path), running.environ))
    assert chosen_groups.recall(running.environ, project.workspace) == ("pypi",)


def test_a_choice_that_cannot_be_kept_is_said(running: Running) -> None:
    running.write("", trusted=False)
    Path(running.environ["HOME"]).write_text("in the way")
    with pytest.raises(EnvironmentFailure, match="cannot be kept"):
        _groups.keep(running.environ, Project.open(str(running.path), running.environ))


def test_a_choice_that_is_no_record_leaves_no_group(running: Running) -> None:
    running.write("", trusted=False)
    project = Project.open(str(running.path), running.environ)
    _groups.keep(running.environ, project)
    (path,) = Path(running.environ["HOME"]).rglob("groups/*.json")
    for text in ("", "[]", '{"workspace": "/other", "groups": []}', '{"groups": 7}'):
        path.write_text(text)
        assert chosen_groups.recall(running.environ, project.workspace) == ()
