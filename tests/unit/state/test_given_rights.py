"""What a sandbox was given is kept for each of the user's engines, and found under whatever address one has."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sandboxd.egress.policy import Policy
from sandboxd.folders import state_folder, workspace_file
from sandboxd.state import given_rights
from sandboxd.state.given_rights import GivenRights

SANDBOX = "/home/ann/shop"
FIRST, SECOND = "unix:///first.sock", "unix:///second.sock"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def on(home: dict[str, str], host: str) -> dict[str, str]:
    return {**home, "DOCKER_HOST": host}


def given(container: str, digest: str = "d") -> GivenRights:
    return GivenRights(container, digest, Policy())


def make_old(home: dict[str, str], container: str) -> Path:
    """A record as a version wrote it that kept one for each sandbox."""
    given_rights.keep(home, SANDBOX, given(container))
    (record,) = given_rights.entries(home)
    content = json.loads(Path(record.path).read_text())
    del content["engine"]
    os.unlink(record.path)
    folder = os.path.join(state_folder(home), "given")
    path = Path(workspace_file(folder, SANDBOX, ".json"))
    path.write_text(json.dumps(content))
    return path


def test_each_engine_has_its_own_record(home: dict[str, str]) -> None:
    given_rights.keep(on(home, FIRST), SANDBOX, given("c1"))
    given_rights.keep(on(home, SECOND), SANDBOX, given("c2"))
    for host, container in ((FIRST, "c1"), (SECOND, "c2")):
        record = given_rights.recall(on(home, host), SANDBOX)
        assert record is not None and record.container == container
    hosts = {each.engine.host for each in given_rights.entries(home) if each.engine is not None}
    assert hosts == {FIRST, SECOND}
    given_rights.forget(on(home, SECOND), SANDBOX)
    assert [each.container for each in given_rights.entries(home)] == ["c1"]


def test_the_record_of_a_container_is_found_under_another_address_of_its_engine(
    home: dict[str, str],
) -> None:
    given_rights.keep(on(home, FIRST), SANDBOX, given("c1"))
    other = on(home, "tcp://127.0.0.1:2375")
    assert given_rights.recall(other, SANDBOX) is None
    assert given_rights.recall(other, SANDBOX, "c1") == given("c1")
    given_rights.keep(other, SANDBOX, given("c1", "granted since"))
    (record,) = given_rights.entries(home)
    assert record.engine is not None and record.engine.host == FIRST
    assert given_rights.recall(on(home, FIRST), SANDBOX, "c1") == given("c1", "granted since")


def test_a_link_to_a_socket_leads_to_the_same_record(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "var-run").symlink_to("run")
    given_rights.keep(on(home, f"unix://{tmp_path}/var-run/d.sock"), SANDBOX, given("c1"))
    assert given_rights.recall(on(home, f"unix://{tmp_path}/run/d.sock"), SANDBOX) == given("c1")


def test_a_record_of_an_older_version_counts_until_it_is_written_anew(
    home: dict[str, str],
) -> None:
    old = make_old(home, "c1")
    (record,) = given_rights.entries(home)
    assert (record.container, record.engine) == ("c1", None)
    for host in (FIRST, SECOND):
        assert given_rights.recall(on(home, host), SANDBOX, "c1") == given("c1")
    given_rights.keep(on(home, FIRST), SANDBOX, given("c1", "e"))
    assert not old.exists()
    assert given_rights.recall(on(home, FIRST), SANDBOX, "c1") == given("c1", "e")


def test_a_record_of_an_older_version_about_another_container_stays(home: dict[str, str]) -> None:
    old = make_old(home, "c1")
    given_rights.keep(on(home, SECOND), SANDBOX, given("c2"))
    assert old.exists()
    given_rights.forget(on(home, SECOND), SANDBOX)
    assert given_rights.entries(home) == ()


def test_what_is_no_record_is_none(home: dict[str, str]) -> None:
    given_rights.keep(home, SANDBOX, given("c1"))
    folder = Path(state_folder(home)) / "given"
    for number, text in enumerate(
        ("", "[]", "{}", '{"sandbox": "/x", "container": "c", "engine": 7}')
    ):
        (folder / f"{number}.json").write_text(text)
    assert [each.container for each in given_rights.entries(home)] == ["c1"]
