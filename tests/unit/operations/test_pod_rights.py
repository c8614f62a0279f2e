"""A sandbox on a cluster has what `Rights` says by the loop that one on this machine has."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from sandboxd.audit import chain, notes
from sandboxd.audit.record import Record as Audit
from sandboxd.audit.record import RecordFailure
from sandboxd.backends.kubernetes import api, records
from sandboxd.backends.kubernetes.records import Record
from sandboxd.backends.kubernetes.target import Target
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, decide
from sandboxd.errors import UsageError
from sandboxd.operations.on_cluster import following
from sandboxd.operations.on_cluster._gateway import PodGateway
from sandboxd.plan.writers import kubernetes
from sandboxd.policy import trust
from sandboxd.project import Project
from tests.unit.operations.running_project import OF_PROFILE
from tests.unit.operations.test_pod_gateway import (
    CONTEXT,
    PlayedCluster,
    cluster,
    policy_set,
    target,
)

__all__ = ["cluster", "target"]

FEWER = '[network]\nmode = "allow"\nallow = ["a.example.org"]\n'
PROFILE = '[network]\nmode = "allow"\n'


class Started:
    """A sandbox on a cluster, started by a file that the user granted."""

    def __init__(self, target: Target) -> None:
        self.target = target
        Path(target.workspace, "pyproject.toml").write_text("[project]\n")
        self.write(FEWER, trusted=True)
        records.note(target.environ, CONTEXT, target.pod, Record("u", 1, "/w", {}, []))
        PodGateway(target).refresh(is_start=True)
        assert self.lets_through("a.example.org") and not self.lets_through(OF_PROFILE)

    def write(self, text: str, *, trusted: bool) -> None:
        Path(self.target.workspace, "sandboxd.toml").write_text(f'profile = "dev"\n{text}')
        if trusted:
            project = Project.open(self.target.workspace, self.target.environ)
            grant = trust.Grant(project.workspace, project.config.digest, "dev")
            trust.add(self.target.environ, grant)

    def write_policy(self, text: str) -> None:
        folder = Path(self.target.environ["XDG_CONFIG_HOME"]) / "sandboxd"
        (folder / "policy.toml").write_text(text)

    def policy(self) -> Policy:
        policy = PodGateway(self.target).policy()
        assert policy is not None
        return policy

    def lets_through(self, name: str) -> bool:
        return decide(self.policy(), name, 443, 2.0).allowed

    def follow(self) -> None:
        PodGateway(self.target).follow()

    def entries(self) -> list[str]:
        record = Audit(notes.folder(self.target.environ))
        return [each.kind for each in chain.check(record.files(), record.marks()).entries]


@pytest.fixture
def started(target: Target, cluster: PlayedCluster) -> Started:
    numbers = itertools.count(5)
    cluster.says = lambda version: [policy_set(version, next(numbers))]
    return Started(target)


def test_an_edit_that_nobody_agreed_to_opens_nothing(started: Started) -> None:
    started.write(PROFILE, trusted=False)
    started.follow()
    assert not started.lets_through(OF_PROFILE) and not started.lets_through("a.example.org")
    started.write(FEWER, trusted=True)
    started.follow()
    assert started.lets_through("a.example.org"), "as far as the start went it may come back"


def test_the_next_start_is_by_the_file_of_then(started: Started) -> None:
    started.write(PROFILE, trusted=False)
    PodGateway(started.target).refresh(is_start=True)
    assert started.lets_through(OF_PROFILE)
    started.write(f"# read\n{PROFILE}", trusted=False)
    started.follow()
    assert started.lets_through(OF_PROFILE)


def test_what_is_new_is_recorded_and_what_goes_waits_for_no_record(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise RecordFailure("the disk is full", "make room")

    before = started.entries().count("widened")
    started.write(PROFILE, trusted=True)
    with monkeypatch.context() as patched:
        patched.setattr(notes, "require", refuse)
        with pytest.raises(RecordFailure):
            started.follow()
    assert not started.lets_through("a.example.org") and not started.lets_through(OF_PROFILE)
    started.follow()
    assert started.lets_through(OF_PROFILE)
    assert started.entries().count("widened") == before + 1


def test_a_policy_without_a_network_takes_all_of_it(started: Started) -> None:
    started.write_policy('network = "none"\n')
    started.follow()
    assert started.policy().rules == ()
    started.write_policy("")
    started.follow()
    assert started.lets_through("a.example.org")


def test_what_is_taken_back_goes_though_the_config_cannot_be_read(started: Started) -> None:
    started.write("[network", trusted=False)
    started.follow()
    assert started.lets_through("a.example.org"), "it keeps what it had"
    started.write_policy('network_deny = ["a.example.org"]\n')
    started.follow()
    assert not started.lets_through("a.example.org")


def test_a_policy_that_cannot_be_read_is_said(started: Started) -> None:
    started.write_policy("network")
    with pytest.raises(UsageError):
        started.follow()
    assert started.lets_through("a.example.org"), "for a moment"


def test_a_config_map_that_somebody_else_wrote_is_replaced(
    started: Started, cluster: PlayedCluster
) -> None:
    own = started.policy()
    wider = own._replace(rules=(own.rules[0]._replace(pattern=pattern("b.example.org")),))
    documents = kubernetes.of_policy(wider, started.target.pod, CONTEXT.namespace)
    cluster.applied += documents
    assert started.lets_through("b.example.org")
    started.follow()
    assert started.policy() == own


def test_a_login_that_is_written_after_the_start_is_in_no_object(
    started: Started, cluster: PlayedCluster
) -> None:
    started.write_policy('network_proxy = "http://proxy.example.net:3128"\n')
    login = Path(started.target.environ["XDG_CONFIG_HOME"], "sandboxd/proxy-credentials")
    login.write_text("me:a password\n")
    login.chmod(0o600)
    started.follow()
    upstream = started.policy().upstream
    assert upstream is not None and upstream.host == "proxy.example.net"
    assert "a password" not in str(cluster.applied)
    assert "a password" not in str(
        records.recall(started.target.environ, CONTEXT, started.target.pod)
    )
    assert cluster.get(api.CONFIG_MAP, f"{started.target.pod}-gateway-policy") is not None


@pytest.mark.parametrize("uid", ["u", "of another machine"])
def test_a_command_that_looks_at_it_takes_back(
    started: Started, cluster: PlayedCluster, uid: str
) -> None:
    cluster.applied.append({"kind": "Pod", "metadata": {"name": started.target.pod, "uid": uid}})
    started.write_policy('network = "none"\n')
    outcome = following.follow(started.target)
    assert outcome.words == "" and outcome.is_followed == (uid == "u")
    assert started.lets_through("a.example.org") == (uid != "u")
    started.write_policy("network")
    assert ("may have more" in following.follow(started.target).words) == (uid == "u")
