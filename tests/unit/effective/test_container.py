"""The order in which the dev container CLI hands settings to docker."""

from __future__ import annotations

from sandboxd import kinds
from sandboxd.effective.container import effective
from sandboxd.effective.variables import Variables
from sandboxd.model.container import Container
from sandboxd.text import SourceText


def container(text: str) -> Container:
    source = SourceText("/p/.devcontainer/devcontainer.json", text)
    found = effective(kinds.get("devcontainer").parse(source), Variables())
    assert found is not None
    return found


def test_properties_come_after_run_args() -> None:
    made = container(
        '{ "securityOpt": ["seccomp=unconfined"], "runArgs": ["--security-opt=seccomp=p.json"] }'
    )
    option = made.option("seccomp")
    assert option is not None
    assert option.value.value == "unconfined"
    assert option.origin.key == "securityOpt"
    assert [value.origin.key for value in made.security_opt] == ["runArgs", "securityOpt"]


def test_privileged_is_only_ever_added_by_the_property() -> None:
    assert container('{ "privileged": false, "runArgs": ["--privileged"] }').is_privileged()
    assert container('{ "privileged": true, "runArgs": ["--privileged=false"] }').is_privileged()
    assert not container('{ "runArgs": ["--privileged", "--privileged=0"] }').is_privileged()


def test_container_user_comes_before_run_args() -> None:
    made = container('{ "containerUser": "dev", "remoteUser": "kim", "runArgs": ["-u", "0"] }')
    assert made.user is not None and made.user.value == "0"
    assert made.remote_user is not None and made.remote_user.value == "kim"


def test_mounts_in_order() -> None:
    made = container(
        '{ "workspaceMount": "type=bind,source=/w,target=/w", "mounts": ["source=a,target=/a"],'
        ' "runArgs": ["-v", "vol:/b", "--tmpfs", "/c"] }'
    )
    assert [mount.value.target for mount in made.mounts] == ["/w", "/a", "/b", "/c"]


def test_compose_drops_what_is_for_docker_run() -> None:
    made = container(
        '{ "dockerComposeFile": "c.yaml", "service": "app", "image": "x", "appPort": 80,'
        ' "runArgs": ["--cap-drop=ALL"], "workspaceMount": "source=w,target=/w", "capAdd": ["bpf"] }'
    )
    assert (made.image, made.ports, made.cap_drop, made.mounts) == (None, (), (), ())
    assert [cap.value for cap in made.cap_add] == ["BPF"]
    assert not made.is_whole()
    assert "`app`" in made.unseen[0].reason


def test_a_word_that_docker_takes_for_the_image_is_said() -> None:
    made = container('{ "image": "mine", "runArgs": ["--init", "other", "--cap-drop=ALL"] }')
    assert made.image is not None and made.image.value == "other"
    assert made.cap_drop == ()
    assert "`other` in `runArgs` is taken for the image" in made.unseen[0].reason


def test_every_value_knows_where_it_stands() -> None:
    text = (
        '{ "runArgs": ["--cap-add", "NET_RAW", "--device=/dev/fuse", "-e", "A=b", "--pids-limit=9"],'
        ' "appPort": [3000, "8080:80"], "containerEnv": { "X": "y" }, "init": true }'
    )
    made = container(text)
    places = {
        "cap_add": "NET_RAW",
        "devices": "/dev/fuse",
        "pids_limit": "9",
        "init": "true",
    }
    for field, written in places.items():
        value = getattr(made, field)
        value = value[0] if type(value) is tuple else value
        assert text[slice(*value.place.span)] == written
        assert value.written == written
        assert value.nodes
    assert [text[slice(*value.place.span)] for value in made.env] == ["y", "A=b"]
    assert [port.value for port in made.ports] == ["127.0.0.1:3000:3000", "8080:80"]


def test_no_object_no_container() -> None:
    source = SourceText("/p/.devcontainer.json", "[1]")
    assert effective(kinds.get("devcontainer").parse(source), Variables()) is None


def test_hostile_types_are_no_settings() -> None:
    made = container(
        '{ "privileged": "", "capAdd": "ALL", "securityOpt": [1, null, {}], "runArgs": {},'
        ' "mounts": [1, {}, { "source": 3 }], "initializeCommand": 7, "appPort": {}, "init": 0 }'
    )
    assert made.privileged is None
    assert (made.cap_add, made.security_opt, made.host_commands, made.ports) == ((), (), (), ())
    assert all(mount.value.source == "" for mount in made.mounts)
