"""Folders beside the workspace: read-only at the same relative path, by grant, and nothing of the user's own."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.plan.extra_folders import path_of, target_of
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.workspace import ExtraFolder
from sandboxd.plan.writers import argv, devcontainer_json, engine
from sandboxd.policy.floor import NO_FLOOR, Demand, Floor, combine
from sandboxd.project.extra_folders import extra_folders
from tests.unit.plan.examples import DIRECTFS, GVISOR, controls, workspace
from tests.unit.plan.examples import plan as plan_of

LIB = ExtraFolder("../lib", "/home/dev/lib")
TEXT = '[workspace]\nfolders = ["../lib"]\n'
TRUSTED = Grants(trusted=True)


def plan(
    *folders: ExtraFolder, text: str = TEXT, host: HostFacts = GVISOR, floor: Floor = NO_FLOOR
) -> Plan:
    return plan_of(
        text, host, workspace=workspace(extra_folders=folders), grants=TRUSTED, floor=floor
    )


def test_it_is_read_only_at_the_same_relative_path() -> None:
    made = plan(LIB)
    mount = next(v.value for v in made.container.mounts if v.value.target == "/workspaces/lib")
    assert (mount.type, mount.source, mount.read_only) == ("bind", "/home/dev/lib", True)
    whys = {each.item: each.why for each in made.reasons}
    assert whys["/workspaces/weather (read-write)"] == "the workspace"
    assert "`../lib`" in whys["/workspaces/lib (read-only)"]
    sent = engine.arguments(made)["HostConfig"]["Mounts"]
    assert ("/workspaces/lib", True) in [(each["Target"], each.get("ReadOnly")) for each in sent]
    assert any(
        "target=/workspaces/lib" in word and "readonly" in word for word in argv.render(made)
    )
    assert "target=/workspaces/lib" in devcontainer_json.render(made)


def test_where_a_plain_mount_can_be_emptied_a_volume_takes_its_place() -> None:
    made = plan(LIB, host=DIRECTFS)
    mount = next(v.value for v in made.container.mounts if v.value.target == "/workspaces/lib")
    assert mount.type == "volume" and "volume-opt=device=/home/dev/lib" in mount.options


@pytest.mark.parametrize(
    ("written", "path", "target"),
    [
        ("../lib", "/home/dev/lib", "/workspaces/lib"),
        ("../a/b", "/home/dev/a/b", "/workspaces/a/b"),
        ("../../other/lib", "/home/other/lib", "/workspaces/lib"),
    ],
)
def test_paths(written: str, path: str, target: str) -> None:
    assert path_of("/home/dev/weather", written) == path
    assert target_of("/home/dev/weather", written) == target


@pytest.mark.parametrize("other", ["../../x/lib", "../lib/part", "../../x/weather"])
def test_two_at_one_place_are_refused(other: str) -> None:
    second = ExtraFolder(other, path_of("/home/dev/weather", other))
    with pytest.raises(UsageError, match="is another folder there"):
        plan(LIB, second)


def test_what_may_not_enter_is_refused_with_its_reason() -> None:
    with pytest.raises(UsageError, match=r"`../lib` of .* is not there: `/home/dev/lib`"):
        plan(LIB._replace(problem="is not there: `/home/dev/lib`"))


def test_a_policy_that_hides_files_refuses_them() -> None:
    floor = combine([Demand("hide", [".env"], "/etc/policy.toml")])
    with pytest.raises(UsageError, match=r"`/etc/policy.toml` hides files, and `../lib`"):
        plan(LIB, text=f'{TEXT}layout = "clone"\n', floor=floor)


def test_a_profile_that_hides_secrets_says_that_these_are_not_hidden() -> None:
    text = f'profile = "agent"\n{TEXT}'
    said = [each.why for each in plan(LIB, text=text).downgrades if each.control == "hidden files"]
    assert any("`/workspaces/lib` is your folder `/home/dev/lib` itself" in why for why in said)
    assert "hidden files" not in controls(plan(LIB))


def test_a_socket_in_it_is_said() -> None:
    made = plan(LIB._replace(sockets=("s.sock",)))
    whys = [each.why for each in made.downgrades if each.control == "workspace sockets"]
    assert whys and "`/workspaces/lib/s.sock`" in whys[0]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in (
        "work/project/sub",
        "work/lib",
        ".config/tool/project",
        ".config/secrets",
        "Library/Keychains",
    ):
        (tmp_path / "home" / name).mkdir(parents=True)
    (tmp_path / "home/work/link").symlink_to("lib")
    (tmp_path / "home/work/file").write_text("")
    (tmp_path / "outside/.hidden").mkdir(parents=True)
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("../lib", ""),
        ("../../../outside", ""),
        ("../missing", "is not there"),
        ("../link", "is reached by a symbolic link"),
        ("../link/sub", "is not there"),
        ("../file", "is no folder"),
        ("../../work", "holds the workspace itself"),
        ("../../../home", "holds the workspace itself"),
        ("../project/sub", "is in the workspace"),
        ("../../Library/Keychains", "lies in a folder of your home where programs"),
        ("../../.config/secrets", "lies in a folder of your home where programs"),
    ],
)
def test_what_a_folder_may_be(home: Path, written: str, problem: str) -> None:
    (found,) = extra_folders(str(home / "work/project"), [written], {"HOME": str(home)})
    assert found.problem.startswith(problem) and bool(found.problem) == bool(problem), found


def test_neither_home_nor_policy_nor_state_nor_system_enter(home: Path, tmp_path: Path) -> None:
    environ = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(tmp_path / "outside/config"),
        "XDG_STATE_HOME": str(tmp_path / "other/state"),
    }
    (tmp_path / "other/state").mkdir(parents=True)
    (tmp_path / "outside/config/sandboxd/services").mkdir(parents=True)
    (tmp_path / "elsewhere/project").mkdir(parents=True)
    project = str(tmp_path / "elsewhere/project")
    up = "../" * len(Path(project).parts)

    def problem(written: str) -> str:
        return extra_folders(project, [written], environ)[0].problem

    assert problem("../../home") == "holds your home"
    assert problem("../../outside") == "holds your policy"
    assert problem("../../other") == "holds what sandboxd keeps"
    assert problem("../../outside/config/sandboxd/services").startswith("lies where sandboxd keeps")
    assert "of the system" in problem(f"{up[:-3]}etc") and "of the system" in problem(
        f"{up[:-3]}proc"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_only_the_engine_could_read_does_not_enter(home: Path) -> None:
    (home / "work/lib").chmod(0)
    (found,) = extra_folders(str(home / "work/project"), ["../lib"], {"HOME": str(home)})
    assert found.problem == "is a folder that you cannot read"


def test_sockets_are_looked_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "work/lib")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.sock")
        (found,) = extra_folders(str(home / "work/project"), ["../lib"], {"HOME": str(home)})
    assert found.sockets == ("s.sock",)
