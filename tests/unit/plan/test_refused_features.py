"""Features that need what a sandbox must not give: out of the generated file and the build, with the reason first."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from sandboxd.data import data_path
from sandboxd.errors import UsageError
from sandboxd.plan import generate
from sandboxd.plan.grants import Grants
from sandboxd.plan.refused_features import refused
from sandboxd.project import Project
from tests.unit.plan.examples import GVISOR

OFFICIAL = "ghcr.io/devcontainers/features"
FILES = sorted(Path(data_path("profiles", "features")).glob("*.toml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_says_why_what_else_and_from_where(file: Path) -> None:
    entry = tomllib.loads(file.read_text())
    assert entry.keys() == {"names", "why", "instead", "source"}
    assert entry["source"].startswith("https://")
    for name in entry["names"]:
        entry_of_name = refused(f"{OFFICIAL}/{name}:1")
        assert entry_of_name is not None
        assert entry_of_name.source == entry["source"], "in one file alone"


@pytest.mark.parametrize(
    ("name", "is_refused"),
    [
        (f"{OFFICIAL}/docker-in-docker:2", True),
        ("ghcr.io/stranger/features/docker-in-docker@sha256:00", True),
        ("docker-in-docker", True),
        ("./docker-in-docker", True),
        ("https://a.example/devcontainer-feature-docker-in-docker.tgz", True),
        (f"{OFFICIAL}/GIT:1", False),
        ("ghcr.io/docker-in-docker/features/go:1", False),
    ],
)
def test_the_last_part_of_the_name_counts(name: str, is_refused: bool) -> None:
    assert (refused(name) is not None) == is_refused


def test_it_is_in_neither_file_nor_build_and_the_reason_comes_first(tmp_path: Path) -> None:
    (tmp_path / ".devcontainer").mkdir()
    name = f"{OFFICIAL}/docker-outside-of-docker:1"
    features = {name: {}, f"{OFFICIAL}/go:1": {}}
    config = {"image": "debian:12", "features": features}
    (tmp_path / ".devcontainer/devcontainer.json").write_text(json.dumps(config))
    project = Project.open(str(tmp_path), {"HOME": str(tmp_path)})
    planned = project.planned(GVISOR, Grants(trusted=True))
    plan = planned.plan
    assert plan.downgrades[0].why.startswith(f"`{name}` is left out: it mounts the engine's socket")
    assert plan.downgrades[0].fix
    assert not any("docker.sock" in entry.why for entry in plan.downgrades[1:]), (
        "nothing is brought"
    )
    assert any("seccomp=unconfined" in entry.why for entry in plan.downgrades), "another's is"
    assert f"features.{name}" in [entry.item for entry in plan.left_out]
    assert plan.recipe is not None
    assert [name for name, _ in plan.recipe.features] == [f"{OFFICIAL}/go:1"]
    text = "".join(file.text for file in generate.outputs(plan, planned.base, planned.carried))
    assert f'"{OFFICIAL}/go:1"' in text and f'"{name}"' not in text


NODE, MISE = f"{OFFICIAL}/node:1", "ghcr.io/ann/features/mise@sha256:00"


@pytest.mark.parametrize(
    ("skips", "left"),
    [
        ([NODE, MISE], []),
        ([f"{OFFICIAL}/node"], [MISE]),
        ([f"{OFFICIAL}/node:2"], [NODE, MISE]),
        (["ghcr.io/ann/features/mise"], [NODE]),
        (["*"], []),
    ],
)
def test_a_project_skips_features_by_name_without_touching_its_devcontainer_json(
    tmp_path: Path, skips: list[str], left: list[str]
) -> None:
    config = {"image": "debian:12", "features": {NODE: {}, MISE: {}}}
    (tmp_path / ".devcontainer.json").write_text(json.dumps(config))
    (tmp_path / "sandboxd.toml").write_text(f"skip_features = {json.dumps(skips)}\n")
    planned = Project.open(str(tmp_path), {"HOME": str(tmp_path)}).planned(
        GVISOR, Grants(trusted=True)
    )
    plan = planned.plan
    assert [name for name, _ in (plan.recipe.features if plan.recipe is not None else ())] == left
    text = "".join(file.text for file in generate.outputs(plan, planned.base, planned.carried))
    for name in (NODE, MISE):
        assert (f'"{name}"' in text) == (name in left)
        assert (f"features.{name}" in [entry.item for entry in plan.left_out]) == (name not in left)
    # What nobody installs adds nothing: whether its files were read is no matter.
    lost = [entry.why for entry in plan.downgrades if entry.control == "features"]
    assert any(MISE in why for why in lost) == (MISE in left)


@pytest.mark.parametrize("text", ['"node"', '[""]', '["a b"]', "[1]", '["$" ]'])
def test_what_names_no_feature_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "sandboxd.toml").write_text(f'image = "debian:12"\nskip_features = {text}\n')
    with pytest.raises(UsageError, match="skip_features"):
        Project.open(str(tmp_path), {"HOME": str(tmp_path)})
