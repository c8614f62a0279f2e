"""An image whose label would loosen the sandbox, where a dev container tool makes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts
from sandboxd.plan.generate import MAIN_FILE
from sandboxd.plan.plan import Plan
from sandboxd.project import Project
from tests.unit.plan.examples import GVISOR

LOOSE = [
    {"remoteUser": "root", "containerEnv": {"A": "b"}},
    {"privileged": True, "capAdd": ["SYS_ADMIN"], "securityOpt": ["seccomp=unconfined"]},
    {"mounts": ["source=/etc,target=/host,type=bind", "source=cache,target=/c,type=volume"]},
]


def host(label: object, image: str = "theirs:latest") -> HostFacts:
    assert GVISOR.engine is not None
    labels = ((image, json.dumps(label)),)
    return GVISOR._replace(engine=GVISOR.engine._replace(image_labels=labels))


def project(folder: Path, profile: str = "dev", base: str = "") -> Project:
    (folder / "sandboxd.toml").write_text(f'image = "theirs"\nprofile = "{profile}"\n')
    if base:
        (folder / ".devcontainer").mkdir()
        (folder / ".devcontainer/devcontainer.json").write_text(base)
    return Project.open(str(folder), {})


def reasons(plan: Plan) -> list[str]:
    return [d.why for d in plan.downgrades if d.control == "image label"]


@pytest.mark.parametrize("base", ["", '{"image": "other"}', '{"image": "theirs"}'])
def test_what_it_brings_is_named_and_not_in_the_plan(tmp_path: Path, base: str) -> None:
    plan = project(tmp_path, base=base).plan(host(LOOSE))
    (why,) = reasons(plan)
    assert "label of image `" in why
    for item in ("privileged", "SYS_ADMIN", "seccomp=unconfined", "mounts: /etc"):
        assert item in why
    assert "cache" not in why
    container = plan.container
    assert container.privileged is None
    assert all(capability.value != "SYS_ADMIN" for capability in container.cap_add)
    assert all(mount.value.target not in ("/host", "/c") for mount in container.mounts)
    assert container.user is None or container.user.value != "root"
    assert ("A", "b") in [variable.value for variable in container.env]


def test_a_label_that_loosens_nothing_is_no_matter(tmp_path: Path) -> None:
    label = {"remoteUser": "vscode", "init": True, "postCreateCommand": "true"}
    assert reasons(project(tmp_path).plan(host(label))) == []


def test_another_image_s_label_is_no_matter(tmp_path: Path) -> None:
    assert reasons(project(tmp_path).plan(host(LOOSE, "else:latest"))) == []


def test_a_strict_profile_generates_nothing_that_a_label_loosens(tmp_path: Path) -> None:
    strict = project(tmp_path, profile="agent")
    assert len(reasons(strict.plan(host(LOOSE)))) == 1
    with pytest.raises(UsageError, match="would add to it: label of image `theirs`") as caught:
        strict.generate(host(LOOSE))
    assert "FROM theirs" in caught.value.hint
    assert not (tmp_path / MAIN_FILE).exists()
    project(tmp_path).generate(host(LOOSE))
    assert "label of image `theirs` brings" in (tmp_path / MAIN_FILE).read_text()
