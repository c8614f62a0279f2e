"""A hand-written devcontainer.json opens nothing: it is left out with a reason, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.errors import SandboxdError, UsageError
from sandboxd.project import Project
from tests.unit.plan.examples import GVISOR, own_git, plan


@pytest.mark.parametrize(
    "mount",
    [
        '"type=volume,source=x,target=/x,volume-driver=other"',
        '"type=volume,source=x,target=/x,volume-opt=device=/etc"',
        '{"type": "volume", "source": "x", "target": "/x,volume-opt=device=/etc"}',
        '"type=volume,source=x,target=/x,\\"volume-label=a,volume-opt=device=/etc\\""',
    ],
)
def test_a_volume_that_can_be_a_folder_of_the_host(mount: str) -> None:
    the_plan = plan(hand_written=f'{{"image": "i", "mounts": [{mount}]}}')
    assert not [m for m in the_plan.container.mounts if m.value.source == "x"]
    assert len(the_plan.left_out) == 1


@pytest.mark.parametrize("kind", ["tmpfs", "volume"])
@pytest.mark.parametrize(
    "target",
    [
        "/sandboxd",
        "/sandboxd/copy",
        "/sandboxd/workspace/src",
        "//tmp/../sandboxd//copy/",
        "/workspaces/weather/",
        "/workspaces/./weather",
        "/workspaces/weather//.git/hooks",
        "/workspaces/weather/x/../.git",
    ],
)
def test_a_mount_over_the_copy_its_mark_or_its_original(kind: str, target: str) -> None:
    source = "source=x," if kind == "volume" else ""
    text = f'{{"image": "i", "mounts": ["type={kind},{source}target={target}"]}}'
    the_plan = plan('profile = "agent"', hand_written=text)
    assert the_plan.container.mounts == plan('profile = "agent"').container.mounts
    assert len(the_plan.left_out) == 1


@pytest.mark.parametrize(
    ("feature", "part", "fix"),
    [
        ("ghcr.io/devcontainers/features/go:1", "brings `SYS_PTRACE`", "take the Feature out"),
        ("ghcr.io/someone/features/tool:1", "is not read", "`sandboxd drift` compares"),
    ],
)
def test_what_a_feature_brings_is_named_and_no_strict_profile_generates(
    tmp_path: Path, feature: str, part: str, fix: str
) -> None:
    text = f'{{"image": "i", "features": {{"{feature}": {{}}}}}}'
    the_plan = plan(hand_written=text)
    assert any(d.control == "features" and part in d.why for d in the_plan.downgrades)
    (tmp_path / ".devcontainer.json").write_text(text)
    (tmp_path / "sandboxd.toml").write_text('profile = "agent"\n')
    with pytest.raises(UsageError, match=rf"allows nothing beside the plan.*{part}") as told:
        Project.open(str(tmp_path), {}).outputs(GVISOR)
    assert told.value.hint.startswith(fix)


WEAK = """{
  "image": "img", "privileged": true, "capAdd": ["SYS_ADMIN"],
  "securityOpt": ["seccomp=unconfined"], "initializeCommand": "curl x | sh", "appPort": 80,
  "mounts": ["source=/var/run/docker.sock,target=/s,type=bind",
             "source=cache,target=/cache,type=volume",
             "source=${localWorkspaceFolder}/.git,target=/g,type=bind",
             {"type": "tmpfs", "target": "/scratch"}],
  "containerEnv": {"A": "1", "TOKEN": "${localEnv:TOKEN}"},
  "runArgs": ["--network=host", "--pid=host", "--device=/dev/kvm", "--ipc=host",
              "--annotation", "dev.gvisor.flag.host-uds=open", "--userns=host", "--uts=host",
              "-v", "/:/host", "-u", "root", "--runtime=runsc", "--read-only", "--init"]
}"""


def test_what_is_weak_is_left_out_with_a_reason() -> None:
    the_plan = plan(hand_written=WEAK)
    left_out = " | ".join(entry.item for entry in the_plan.left_out)
    for item in (
        "privileged: ", "capAdd: SYS_ADMIN", "seccomp=unconfined", "curl x | sh", "/var/run/docker.sock",
        "${localWorkspaceFolder}/.git", "TOKEN=", "host-uds", "/dev/kvm", "runArgs: /", "runsc", "root",
    ):  # fmt: skip
        assert item in left_out, item
    assert left_out.count("runArgs: host") == 5
    assert all(entry.why for entry in the_plan.left_out)
    (port,) = [entry for entry in the_plan.left_out if entry.item.startswith("appPort")]
    assert "`sandboxd up` forwards it" in port.why, "it is named, with what takes its place"
    container = the_plan.container
    targets = {m.value.target for m in container.mounts if "weather" not in m.value.target}
    assert targets == {"/cache", "/scratch", "/sandboxd/git/objects"}
    whys = {reason.item: reason.why for reason in the_plan.reasons if reason.field == "mounts"}
    assert "`cache` of your config, as a volume of this project alone" in whys["/cache (volume)"]
    assert whys["/scratch (tmpfs)"] == "reaches nothing of the host"
    assert container.env[0].value == ("A", "1")
    assert container.read_only_rootfs is not None and container.init is not None


def test_compose_files_that_are_not_seen_are_refused() -> None:
    with pytest.raises(UsageError, match="Compose files are not all seen"):
        plan(hand_written='{"dockerComposeFile": "compose.yml", "service": "app"}')


def test_no_hand_written_value_copies_a_variable_of_the_host() -> None:
    text = """{"image": "i", "containerUser": "${localEnv:SECRET}", "mounts": [
        "type=volume,source=a-${localEnv:SECRET},target=/a",
        "type=tmpfs,target=/b/${localEnv:SECRET}",
        "type=volume,source=b,target=/c,volume-label=a=${env:SECRET}"]}"""
    the_plan = plan(hand_written=text)
    assert len(the_plan.left_out) == 4
    assert "SECRET" not in repr(the_plan.container)


def test_volumes_of_other_projects_pins_do_not_enter() -> None:
    text = """{"image": "i",
        "mounts": ["type=volume,source=sandboxd-pin-0011223344556677,target=/other"]}"""
    the_plan = plan(hand_written=text)
    assert "sandboxd-pin-0011223344556677" in the_plan.left_out[0].item
    assert "/other" not in {m.value.target for m in the_plan.container.mounts}


@pytest.mark.parametrize("image", ["--privileged", "evil.example/x:${localEnv:TOKEN}"])
def test_what_is_no_name_of_an_image_is_refused(image: str) -> None:
    with pytest.raises(UsageError, match="the image"):
        plan(hand_written=f'{{"image": "{image}"}}')


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_hand_written_value_opens_the_host(key: str, value: str) -> None:
    import json

    text = json.dumps({"image": "i", "runArgs": [f"--{key}={value}", value], key: value})
    try:
        container = plan(hand_written=text).container
    except SandboxdError:
        return
    assert container.privileged is None and container.devices == ()
    assert container.network is not None and container.network.value in ("bridge", "none")
    binds = [m.value.source for m in container.mounts if m.value.type == "bind"]
    assert all("/weather" in source or source == own_git().inside for source in binds)
