"""What a build reads of a workspace, and what is refused before anybody is asked to trust it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.plan import recipe_files
from sandboxd.plan.recipe import Recipe
from sandboxd.project import Project
from tests.unit.plan.examples import PLAIN

DOCKERFILE = "FROM debian:12\nCOPY --from=x /a /b\nCOPY tools/ /tools/\n"


def project(folder: Path, dockerfile: str = DOCKERFILE, **config: object) -> Path:
    (folder / ".devcontainer").mkdir(exist_ok=True)
    (folder / "tools").mkdir(exist_ok=True)
    (folder / "tools/run.sh").write_text("echo hi\n")
    (folder / "other.txt").write_text("no part of it\n")
    (folder / ".devcontainer/Dockerfile").write_text(dockerfile)
    settings = {"build": {"dockerfile": "Dockerfile", "context": ".."}, **config}
    (folder / ".devcontainer/devcontainer.json").write_text(json.dumps(settings))
    return folder


def recipe(folder: Path) -> Recipe:
    result = Project.open(str(folder), {}).recipe()
    assert result is not None
    return result


def test_what_it_reads_and_nothing_else_is_its_identity(tmp_path: Path) -> None:
    first = recipe(project(tmp_path))
    assert [part.path for part in first.parts] == [".devcontainer/Dockerfile", "tools/run.sh"]
    assert first.tag.endswith(f":{first.digest[:16]}")
    (tmp_path / "other.txt").write_text("changed\n")
    (tmp_path / "sandboxd.toml").write_text('[environment]\nA = "b"\n')
    assert recipe(tmp_path).digest == first.digest
    (tmp_path / "tools/run.sh").chmod(0o755)
    assert recipe(tmp_path).digest != first.digest


@pytest.mark.parametrize(
    "change",
    [
        {"dockerfile": DOCKERFILE + "RUN true\n"},
        {"build": {"dockerfile": "Dockerfile", "context": "..", "args": {"A": "b"}}},
        {"build": {"dockerfile": "Dockerfile", "context": "..", "target": "x"}},
        {"features": {"ghcr.io/devcontainers/features/go:1": {}}},
    ],
)
def test_another_build_is_another_identity(tmp_path: Path, change: dict[str, str]) -> None:
    first = recipe(project(tmp_path))
    assert recipe(project(tmp_path, **change)).digest != first.digest


@pytest.mark.parametrize(
    "line", ["COPY *.txt /", "COPY $WHAT /", "ADD . /x", "RUN --mount=target=/x true"]
)
def test_a_pattern_reads_the_whole_context_without_git(tmp_path: Path, line: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/HEAD").write_text("ref: x\n")
    paths = {part.path for part in recipe(project(tmp_path, f"FROM debian:12\n{line}\n")).parts}
    assert {"other.txt", "tools/run.sh"} <= paths
    assert not any(path.startswith(".git/") for path in paths)


def test_a_named_image_is_not_built(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / "sandboxd.toml").write_text('image = "debian:12"\n')
    assert Project.open(str(tmp_path), {}).recipe() is None


def test_the_way_around_a_build_is_one(tmp_path: Path) -> None:
    feature = "ghcr.io/devcontainers/features/java:1"
    both = recipe(project(tmp_path, features={feature: {}}))
    assert both.way_around() == (
        "name an image in sandboxd.toml and leave its Features out by `skip_features` in sandboxd.toml"
    )
    (tmp_path / "sandboxd.toml").write_text('image = "debian:12"\n')
    # A Feature is put on top of that image, too.
    assert (
        recipe(tmp_path).way_around()
        == "leave its Features out by `skip_features` in sandboxd.toml"
    )
    assert recipe(tmp_path).sources() == f"the Feature `{feature}`"


def test_a_link_in_a_feature_is_refused(tmp_path: Path) -> None:
    project(tmp_path, features={"./own": {}})
    own = tmp_path / ".devcontainer/own"
    own.mkdir()
    (own / "install.sh").symlink_to("/etc/hostname")
    with pytest.raises(UsageError, match=r"own/install\.sh` is a symbolic link"):
        recipe(tmp_path)


def test_nothing_is_read_through_a_link_to_a_folder(tmp_path: Path) -> None:
    """Copied out for the build, `link/run.sh` would be written to where the link leads."""
    project(tmp_path, "FROM debian:12\nCOPY link /x\nCOPY link/run.sh /y\n")
    (tmp_path / "link").symlink_to(tmp_path / "tools")
    with pytest.raises(UsageError, match="`link` is a symbolic link"):
        recipe(tmp_path)


def test_a_lock_file_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    project(tmp_path, features={"ghcr.io/devcontainers/features/go:1": {}})
    (tmp_path / ".devcontainer/devcontainer-lock.json").symlink_to("/etc/hostname")
    with pytest.raises(UsageError, match=r"devcontainer-lock\.json` is a symbolic link"):
        recipe(tmp_path)


@pytest.mark.parametrize("name", ["../../outside", "./own"])
def test_a_feature_that_is_not_in_the_workspace(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"outside of the workspace|needs `\.devcontainer/own`"):
        recipe(project(tmp_path, features={name: {}}))


def test_a_feature_takes_no_variable_of_the_host(tmp_path: Path) -> None:
    features = {"ghcr.io/x/y:1": {"token": "${localEnv:TOKEN}"}}
    with pytest.raises(UsageError, match="takes a variable of the host"):
        recipe(project(tmp_path, features=features))


@pytest.mark.parametrize("key", ["context", "dockerfile", "target"])
def test_no_part_of_a_build_is_a_variable(tmp_path: Path, key: str) -> None:
    """The dev container CLI would put in `..`: the build would read the folders above its own."""
    build = {"dockerfile": "Dockerfile", "context": "..", key: "./${localEnv:NOT_SET:..}/x"}
    project(tmp_path, build=build, features={"ghcr.io/x/y:1": {}})
    (tmp_path / ".devcontainer/${localEnv:NOT_SET:..}").mkdir()
    (tmp_path / ".devcontainer/${localEnv:NOT_SET:..}/x").write_text("FROM debian:12\n")
    with pytest.raises(UsageError, match=r"NOT_SET.* a variable"):
        recipe(tmp_path)


def test_the_image_of_a_build_is_no_variable(tmp_path: Path) -> None:
    project(tmp_path)
    settings = {"image": "x.example/y:${localEnv:TOKEN}", "features": {"ghcr.io/x/y:1": {}}}
    (tmp_path / ".devcontainer/devcontainer.json").write_text(json.dumps(settings))
    with pytest.raises(UsageError, match=r"TOKEN.* a variable"):
        recipe(tmp_path)


def test_a_context_from_elsewhere_cannot_be_looked_at(tmp_path: Path) -> None:
    build = {"dockerfile": "Dockerfile", "context": "https://example.org/x.git"}
    with pytest.raises(UsageError, match=r"built from `https://example\.org/x\.git`"):
        recipe(project(tmp_path, build=build))


def test_more_than_anybody_looks_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe_files, "MOST_FILES", 2)
    with pytest.raises(UsageError, match="more than 2 files"):
        recipe(project(tmp_path, "FROM debian:12\nCOPY . .\n"))


def test_a_missing_dockerfile(tmp_path: Path) -> None:
    project(tmp_path)
    (tmp_path / ".devcontainer/Dockerfile").unlink()
    with pytest.raises(UsageError, match=r"needs `\.devcontainer/Dockerfile`"):
        recipe(tmp_path)


def test_what_cannot_be_built_here_is_said_and_can_still_be_generated(tmp_path: Path) -> None:
    project(tmp_path, features={"./own": {}})
    plan = Project.open(str(tmp_path), {}).plan(PLAIN)
    assert plan.recipe is None
    assert [d.why for d in plan.downgrades if d.control == "build"] == [
        "the build needs `.devcontainer/own`: no such file or directory"
    ]
