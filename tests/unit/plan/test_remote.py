"""Which hooks a plan lets run, and what is said of the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.config.model import Setting
from sandboxd.model.remote import NO_REMOTE, Port, Remote
from sandboxd.plan import profiles
from sandboxd.plan.carry import NOTHING
from sandboxd.plan.plan import Plan
from sandboxd.plan.remote import complete, is_workspace, of_file, with_ports
from sandboxd.project import Project
from tests.unit.plan.examples import GVISOR, RUNC_GRANTED, document, plan

FILE = json.dumps(
    {
        "image": "img:1",
        "postStartCommand": "serve",
        "onCreateCommand": {"a": "make", "b": ["make", "b"]},
        "postCreateCommand": "login ${localEnv:TOKEN}",
        "remoteEnv": {"A": "1", "SECRET": "${localEnv:TOKEN}"},
    }
)
LABEL = '[{"id": "./own", "onCreateCommand": "setup", "postCreateCommand": "x ${env:HOME}"}]'


def planned(profile: str) -> Plan:
    made = plan(f'profile = "{profile}"', GVISOR, hand_written=FILE, grants=RUNC_GRANTED)
    return made._replace(remote=of_file(document(FILE), made))


def test_every_profile_says_whether_hooks_run() -> None:
    answers = {name: profiles.load(name).hooks for name in profiles.names()}
    assert answers == {
        "agent": True,
        "dev": True,
        "review": False,
        "seed-baseline": True,
        "trusted": True,
        "untrusted": False,
    }


def test_what_runs_is_named_with_when_and_what_copies_the_host_is_refused() -> None:
    made = planned("dev")
    hooks = [reason.item for reason in made.reasons if reason.field == "hook"]
    assert hooks == ["onCreateCommand: make", "onCreateCommand: make b", "postStartCommand: serve"]
    assert [refused.item for refused in made.hooks_refused] == [
        "postCreateCommand: login ${localEnv:TOKEN}"
    ]
    remote = complete(made, LABEL)
    assert [(hook.stage, hook.source) for hook in remote.hooks] == [
        ("onCreateCommand", "Feature `./own`"),
        ("onCreateCommand", "devcontainer.json"),
        ("postStartCommand", "devcontainer.json"),
    ]
    assert [pair.name for pair in remote.env] == ["A"]
    assert remote.refused == (
        "not run: postCreateCommand of Feature `./own`: it copies a variable of the host, maybe a "
        "secret, into the sandbox",
    )


@pytest.mark.parametrize("profile", ["review", "untrusted"])
def test_a_profile_that_runs_none_refuses_each_by_name(profile: str) -> None:
    made = planned(profile)
    assert complete(made, LABEL).hooks == ()
    assert [refused.item.partition(":")[0] for refused in made.hooks_refused] == [
        "onCreateCommand",
        "onCreateCommand",
        "postCreateCommand",
        "postStartCommand",
    ]
    assert all(f"profile `{profile}`" in refused.why for refused in made.hooks_refused)
    assert not [reason for reason in made.reasons if reason.field == "hook"]


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        (
            "/workspaces/${localWorkspaceFolderBasename}/packages/app",
            "/workspaces/weather/packages/app",
        ),
        ("${containerWorkspaceFolder}/a/../b", "/workspaces/weather/b"),
        ("/workspaces/weather", ""),
        ("/workspaces/weather/../other", ""),
        ("/srv", ""),
        ("", ""),
    ],
)
def test_a_folder_of_the_workspace_is_worked_in(folder: str, inside: str) -> None:
    text = json.dumps(
        {
            "image": "img:1",
            "workspaceFolder": folder,
            "remoteEnv": {"W": "${containerWorkspaceFolder}"},
        }
    )
    made = plan(hand_written=text)
    remote = of_file(document(text), made)
    assert remote.folder == inside
    assert remote.env[0].value == (inside or "/workspaces/weather")
    assert is_workspace(document(text), made) == (folder == "/workspaces/weather")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"image": "img:1",\n "postCreateCommand": "make"\n',
            "from line 1 on (this brace is not closed)",
        ),
        ('{"image": "img:1", // a comment\n "postCreateCommand": "make",\n}\n', ""),
    ],
)
def test_a_file_that_is_no_json_is_named_in_the_plan(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / ".devcontainer.json").write_text(text)
    made = Project.open(str(tmp_path), {}).planned(GVISOR).plan
    said = [each for each in made.downgrades if each.control == "config"]
    assert bool(said) == bool(words)
    assert all(f"`.devcontainer.json` cannot be read {words}" in each.why for each in said)


@pytest.mark.parametrize("folder", ["/workspaces/${localWorkspaceFolderBasename}", "/workspace"])
def test_a_folder_is_left_out_only_where_it_is_another(folder: str, tmp_path: Path) -> None:
    (tmp_path / ".devcontainer.json").write_text(
        json.dumps({"image": "img:1", "workspaceFolder": folder})
    )
    made = Project.open(str(tmp_path), {}).planned(GVISOR).plan
    is_left_out = "workspaceFolder" in [each.item for each in made.left_out]
    assert is_left_out == (folder == "/workspace")


@pytest.mark.parametrize(
    ("users", "refused"),
    [
        ({"containerUser": "dev", "remoteUser": "node"}, ["remoteUser: node"]),
        ({"containerUser": "dev", "remoteUser": "dev"}, []),
        ({"remoteUser": "node"}, []),
        ({"containerUser": "root", "remoteUser": "node"}, ["containerUser: root"]),
    ],
)
def test_another_remote_user_is_named(users: dict[str, str], refused: list[str]) -> None:
    made = plan(hand_written=json.dumps({"image": "img:1", **users}))
    assert [item.item for item in made.left_out] == refused


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ({}, "/workspaces/ws"),
        ({"workspaceFolder": "/app"}, "/workspaces/ws"),
        ({"workspaceFolder": "/app", "workspaceMount": "type=bind,source=${localWorkspaceFolder},target=/app"}, "/workspaces/ws"),
        ({"workspaceFolder": "/workspaces/ws/web"}, "/workspaces/ws/web"),
        ({"workspaceFolder": "/workspaces/ws-other"}, "/workspaces/ws"),
    ],
)  # fmt: skip
def test_the_folder_of_the_workspace_is_one_that_the_sandbox_has(
    tmp_path: Path, written: dict[str, str], place: str
) -> None:
    folder = tmp_path / "ws"
    (folder / ".devcontainer").mkdir(parents=True)
    config = {
        "image": "img:1",
        "containerEnv": {"SRC": "${containerWorkspaceFolder}/src"},
        "remoteEnv": {"ALSO": "${containerWorkspaceFolder}"},
        "postCreateCommand": "ls ${containerWorkspaceFolder}",
    } | written
    (folder / ".devcontainer/devcontainer.json").write_text(json.dumps(config))
    (folder / "sandboxd.toml").write_text("")
    made = Project.open(str(folder), {"HOME": str(tmp_path)}).plan(GVISOR)
    env = {each.value.name: each.value.value for each in made.container.env}
    assert env["SRC"] == f"{place}/src"
    assert made.remote.env[0].value == place
    assert made.remote.hooks[0].commands[0].written == f"ls {place}"


def test_ports_of_sandboxd_toml_are_beside_those_of_the_config_and_count_before_them() -> None:
    wanted = [Setting(text) for text in ("3000", "3001:8080", "DB:5432", "db:5433:1")]
    named = (
        Port(3000),
        Port(3001, here=8080),
        Port(5432, service="db"),
        Port(5433, service="db", here=1),
    )
    assert with_ports(NO_REMOTE, wanted).ports == named
    own = (Port(80, "Web"), Port(3001, needs_same=True))
    assert with_ports(Remote(ports=own), wanted).ports == (own[0], named[1], named[0], *named[2:])
    twice = (Port(3001), Port(3001, here=9000), Port(4000), Port(4000, here=9001))
    assert with_ports(Remote(ports=twice), ()).ports == twice, "one port inside, at two here"
    assert with_ports(Remote(ports=twice), wanted[1:2]).ports == (named[1], *twice[2:])


def test_generated_files_name_them_as_editors_read_them() -> None:
    wanted = [Setting(text) for text in ("3000", "3001:8080", "db:5432:1")]
    assert dict(NOTHING.with_ports(wanted).members) == {"forwardPorts": [3000, 3001, "db:5432"]}
    assert NOTHING.with_ports(()) == NOTHING
    for written in (["3000", "db:5432"], "3000"):
        carried = NOTHING._replace(members=(("name", "x"), ("forwardPorts", written)))
        listed = dict(carried.with_ports(wanted[:2]).members)["forwardPorts"]
        assert listed == [*(written if isinstance(written, list) else [written]), 3001]
