"""The order in which the dev container CLI hands settings to docker."""

from __future__ import annotations

from sandboxd import formats
from sandboxd.formats.resolved.container import effective
from sandboxd.formats.resolved.variables import Variables
from sandboxd.model.container import Container
from sandboxd.text import SourceText


def container(text: str) -> Container:
    source = SourceText("/p/.devcontainer/devcontainer.json", text)
    result = effective(formats.get("devcontainer").parse(source), Variables())
    assert result is not None
    return result


def test_properties_come_after_run_args() -> None:
    merged = container(
        '{ "securityOpt": ["seccomp=unconfined"], "runArgs": ["--security-opt=seccomp=p.json"] }'
    )
    option = merged.option("seccomp")
    assert option is not None
    assert option.value.value == "unconfined"
    assert option.origin.key == "securityOpt"
    assert [value.origin.key for value in merged.security_opt] == ["runArgs", "securityOpt"]


def test_privileged_is_only_ever_added_by_the_property() -> None:
    assert container('{ "privileged": false, "runArgs": ["--privileged"] }').is_privileged()
    assert container('{ "privileged": true, "runArgs": ["--privileged=false"] }').is_privileged()
    assert not container('{ "runArgs": ["--privileged", "--privileged=0"] }').is_privileged()


def test_container_user_comes_before_run_args() -> None:
    merged = container('{ "containerUser": "dev", "remoteUser": "kim", "runArgs": ["-u", "0"] }')
    assert merged.user is not None and merged.user.value == "0"
    assert merged.remote_user is not None and merged.remote_user.value == "kim"


def test_mounts_in_order() -> None:
    merged = container(
        '{ "workspaceMount": "type=bind,source=/w,target=/w", "mounts": ["source=a,target=/a"],'
        ' "runArgs": ["-v", "vol:/b", "--tmpfs", "/c"] }'
    )
    assert [mount.value.target for mount in merged.mounts] == ["/w", "/a", "/b", "/c"]


def test_compose_drops_what_is_for_docker_run() -> None:
    merged = container(
        '{ "dockerComposeFile": "c.yaml", "service": "app", "image": "x", "appPort": 80,'
        ' "runArgs": ["--cap-drop=ALL"], "workspaceMount": "source=w,target=/w", "capAdd": ["bpf"] }'
    )
    assert (merged.image, merged.ports, merged.cap_drop, merged.mounts) == (None, (), (), ())
    assert [cap.value for cap in merged.cap_add] == ["BPF"]
    assert not merged.is_whole()
    assert "`app`" in merged.unseen[0].reason


def test_a_word_that_docker_takes_for_the_image_is_said() -> None:
    merged = container('{ "image": "mine", "runArgs": ["--init", "other", "--cap-drop=ALL"] }')
    assert merged.image is not None and merged.image.value == "other"
    assert merged.cap_drop == ()
    assert "`other` in `runArgs` is taken for the image" in merged.unseen[0].reason


def test_every_value_knows_where_it_stands() -> None:
    text = (
        '{ "runArgs": ["--cap-add", "NET_RAW", "--device=/dev/fuse", "-e", "A=b", "--pids-limit=9"],'
        ' "appPort": [3000, "8080:80"], "containerEnv": { "X": "y" }, "init": true }'
    )
    merged = container(text)
    places = {
        "cap_add": "NET_RAW",
        "devices": "/dev/fuse",
        "pids_limit": "9",
        "init": "true",
    }
    for field, written in places.items():
        value = getattr(merged, field)
        value = value[0] if type(value) is tuple else value
        assert text[slice(*value.place.span)] == written
        assert value.written == written
        assert value.nodes
    assert [text[slice(*value.place.span)] for value in merged.env] == ["y", "A=b"]
    assert [port.value for port in merged.ports] == ["127.0.0.1:3000:3000", "8080:80"]


def test_no_object_no_container() -> None:
    source = SourceText("/p/.devcontainer.json", "[1]")
    assert effective(formats.get("devcontainer").parse(source), Variables()) is None


def test_hostile_types_are_no_settings() -> None:
    merged = container(
        '{ "privileged": "", "capAdd": "ALL", "securityOpt": [1, null, {}], "runArgs": {},'
        ' "mounts": [1, {}, { "source": 3 }], "initializeCommand": 7, "appPort": {}, "init": 0 }'
    )
    assert merged.privileged is None
    assert (merged.cap_add, merged.security_opt, merged.host_commands, merged.ports) == (
        (),
        (),
        (),
        (),
    )
    assert all(mount.value.source == "" for mount in merged.mounts)
