"""What verify puts on the host: secrets stay outside, everything goes away, and effects are seen."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from sandboxd.inside.escapes import git_commondir
from sandboxd.observe.workspace import HostMount, View
from sandboxd.verify import listeners
from sandboxd.verify.canary import MOVE_ATTEMPTS, PIN_ATTEMPTS, Canaries
from tests.patience import PATIENCE


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for name in ("ws/.devcontainer", "ws/.git/hooks", "data"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "ws/.git/config").write_text("")
    return tmp_path / "ws"


def canaries(workspace: Path, gateways: tuple[str, ...] = ("127.0.0.1",)) -> Canaries:
    mount = HostMount(str(workspace), "/ws", True)
    other = HostMount(str(workspace.parent / "data"), "/data", True)
    return Canaries(View((other, mount), mount), "tcp://x", "engine-id", gateways)


def test_no_secret_goes_inside_and_nothing_stays(workspace: Path) -> None:
    before = sorted(workspace.rglob("*"))
    with canaries(workspace) as bait:
        sent = json.dumps(bait.facts)
        assert len(bait.host.secrets) == 7
        assert not any(secret in sent for secret in bait.host.secrets)
        path = Path(bait.facts["canary"])
        assert path.read_text() in bait.host.secrets
        assert path.stat().st_mode & 0o777 == 0o644
        assert bait.missing == {}
    assert sorted(workspace.rglob("*")) == before
    assert not path.exists()
    marks = subprocess.run(["pgrep", "-f", bait.facts["marker"]], capture_output=True, check=False)
    assert marks.stdout == b""


def said_at(port: int) -> str:
    """The first words of whoever listens there; '' where nobody does."""
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            return connection.recv(100).decode("utf-8", "replace")
    except OSError:
        return ""


def test_the_banner_is_said_to_who_connects(workspace: Path) -> None:
    with canaries(workspace) as bait:
        for port in (bait.facts["gateway_port"], bait.facts["loopback_port"]):
            assert said_at(port) in bait.host.secrets
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect("\0" + bait.facts["abstract"])
            assert connection.recv(100).decode() in bait.host.secrets
    # Somebody else may have its port by now.
    assert said_at(port) not in bait.host.secrets


def test_an_address_that_is_not_here_makes_the_attempt_unclear(workspace: Path) -> None:
    with canaries(workspace, ("203.0.113.1",)) as bait:
        assert list(bait.missing) == ["host-gateway"]


def test_a_host_without_an_address_on_any_network_has_nothing_to_be_reached(
    workspace: Path,
) -> None:
    with canaries(workspace, ()) as bait:
        assert bait.missing == {}
        assert bait.facts["gateway_port"] == 0


def test_what_may_be_read_is_attacked_by_writing_alone(workspace: Path) -> None:
    """The repository of a linked work tree is a folder of the host, and its config is no secret of another's."""
    data = workspace.parent / "data"
    mount = HostMount(str(workspace), "/ws", True)
    view = View((HostMount(str(data), "/data", False), mount), mount)
    (data / "config").write_text("[core]")
    with Canaries(view, "tcp://x", "engine-id", ("127.0.0.1",), readable=["/data"]) as bait:
        reached = {"reached": ["/data/config"]}
        assert bait.damage("credential-files", reached) == ()
        assert bait.facts["foreign_mounts"] == ["/data"]
        assert bait.damage("control-file-write", reached) != ()


def test_each_effect_is_seen_by_the_host(workspace: Path) -> None:
    with canaries(workspace) as bait:
        for attempt in PIN_ATTEMPTS:
            assert bait.damage(attempt, {}) == ()
        scratch = workspace / ".devcontainer" / bait.facts["plant"]
        os.truncate(scratch / "pin-truncate", 0)
        assert bait.damage("pin-truncate", {}) == (
            "the host's file in `/ws/.devcontainer` is emptied",
        )
        assert bait.damage("pin-write", {}) == ()
        new = f"{bait.facts['plant']}-new"
        (workspace / ".git/hooks" / new).write_text("")
        (workspace.parent / "data" / new).write_text("")
        assert bait.damage("control-file-create", {}) == ("a new file appeared in `.git/hooks`",)
        assert "data" in bait.damage("writable-mount", {})[0]
        assert bait.damage("control-file-create", {}) == ()
        moved = bait.damage("pin-parent-rename", {"movable": ["/ws/.git"]})
        assert moved == ("`/ws/.git` can be moved away",)


@pytest.mark.parametrize("before", [None, ".\n"])
def test_the_host_sees_a_commondir_that_was_made_or_opens(
    workspace: Path, before: str | None
) -> None:
    commondir = workspace / ".git/commondir"
    if before is not None:
        commondir.write_text(before)
    with canaries(workspace) as bait:
        assert bait.facts["git_commondir"] == "/ws/.git/commondir"
        assert bait.damage("git-commondir", {}) == ()
        report = git_commondir.attempt({"git_commondir": str(commondir)})
        assert commondir.read_text() == ".\n"
        claim = {"reached": [bait.facts["git_commondir"]]} if "reached" in report else {}
        (damage,) = bait.damage("git-commondir", claim)
    assert ("appeared" in damage) == (before is None)
    assert commondir.exists() == (before is not None)


def test_only_paths_that_are_the_host_s_count(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = workspace.parent / "data/.netrc"
    key.write_text("")
    with canaries(workspace) as bait:
        reached = {"reached": ["/root/.netrc", "/ws/.npmrc", "/data/.netrc"]}
        assert bait.damage("credential-files", reached) == (f"the host's `{key}` opens",)
        config = {"reached": ["/ws/.git/config", "/ws/gone"]}
        assert bait.damage("control-file-write", config) == (
            f"the host's `{workspace}/.git/config` opens for writing",
        )
        with socket.socket(socket.AF_UNIX) as listening:
            # A Unix socket's path may have 107 bytes only.
            monkeypatch.chdir(workspace.parent / "data")
            listening.bind("agent.sock")
            effects = bait.damage("host-socket", {"reached": ["/data/agent.sock", "/run/own.sock"]})
        assert len(effects) == 1
        assert "agent.sock" in effects[0]


def test_a_workspace_nobody_may_write_to_is_unclear_not_held(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("sandboxd.verify.canary.ScratchFolder", denied)
    with canaries(workspace) as bait:
        assert set(bait.missing) == {*PIN_ATTEMPTS, *MOVE_ATTEMPTS}


def test_folders_are_moved_onto_full_ones_beside_them(workspace: Path) -> None:
    with canaries(workspace) as bait:
        moves = {move["folder"]: move["onto"] for move in bait.facts["movable"]}
        assert set(moves) == {"/ws/.devcontainer", "/ws/.git", "/ws/.git/hooks"}
        for folder, onto in moves.items():
            assert os.path.dirname(folder) == os.path.dirname(onto)
            with pytest.raises(OSError, match="not empty"):
                os.rename(*(path.replace("/ws", str(workspace), 1) for path in (folder, onto)))


def test_a_process_s_network_can_be_ours() -> None:
    assert listeners.reaches_network(os.getpid())
    assert not listeners.reaches_network(2**30)


@pytest.mark.parametrize(
    "path",
    [".devcontainer.json", ".devcontainer/devcontainer.json", ".git/config", "sandboxd.toml"],
)
def test_files_that_make_the_tools_of_the_host_act_are_attacked(workspace: Path, path: str) -> None:
    """dev container tools read the first two, git and sandboxd the others: whatever a profile pins."""
    (workspace / path).write_text("{}")
    with canaries(workspace) as bait:
        assert f"/ws/{path}" in bait.facts["control_files"]


def test_a_submodule_is_attacked_at_its_own_file_its_folders_and_its_objects(
    workspace: Path,
) -> None:
    (workspace / "deps/lib").mkdir(parents=True)
    (workspace / "deps/lib/.git").write_text("gitdir: ../../.git/modules/deps/lib\n")
    (workspace / "new").mkdir()
    objects = workspace / ".git/modules/deps/lib/objects"
    objects.mkdir(parents=True)
    mount = HostMount(str(workspace), "/ws", True)
    inside = "/sandboxd/git/modules/deps/lib/objects"
    mounts = (mount, HostMount(str(objects), inside, False))
    # As a plan pins one that is fetched, and one that is not.
    pinned = ("deps/lib/.git", "new")
    with Canaries(View(mounts, mount), "tcp://x", "id", ("127.0.0.1",), pinned) as bait:
        assert "/ws/deps/lib/.git" in bait.facts["control_files"]
        assert {pin["inside"] for pin in bait.facts["pins"]} >= {inside, "/ws/new"}
        movable = {move["folder"] for move in bait.facts["movable"]}
        assert movable >= {"/ws/deps", "/ws/deps/lib", "/ws/new"}
        (scratch,) = objects.iterdir()
        (scratch / "pin-write").write_text("x")
        assert bait.damage("pin-write", {}) == (f"the host's file in `{inside}` is overwritten",)
    assert [*objects.iterdir()] == [] and sorted(workspace.rglob(".sandboxd*")) == []
