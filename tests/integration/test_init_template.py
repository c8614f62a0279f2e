"""`init --template` as people type it: what it writes, what it leaves alone, what it answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.commands import sandboxd


def paths(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_an_empty_folder_becomes_a_project(tmp_path: Path) -> None:
    done = sandboxd("init", tmp_path, "--template", "python")
    assert done.code == 0
    assert paths(tmp_path) == {
        "sandboxd.toml",
        "sample/greeting.py",
        "sample/test.sh",
        "sample/test_greeting.py",
    }
    assert f"wrote {tmp_path}/sandboxd.toml" in done.err
    assert "python/README.md" in done.err
    assert done.err.splitlines()[-1] == "next: `sandboxd up`"
    assert sandboxd("generate", tmp_path).code == 0


def test_all_are_listed_with_what_init_has_a_use_for() -> None:
    done = sandboxd("init", "--list-templates")
    assert done.code == 0
    assert "\npython\n    Python for daily work" in done.out
    assert "--option image=mcr.microsoft.com/devcontainers/python:" in done.out
    # In all but one template only dev container tools use it.
    assert done.out.count("--option user=") == 1
    assert "--option postgresImage=postgres:" in done.out


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--template", "pyhton"], "no template `pyhton`", "`sandboxd init --template python`?"),
        (["--template", "python", "--option", "imag=x"], "no option `imag`", "`--option image=...`?"),
        (["--template", "python", "--option", "image"], "has no value", "`--option image=VALUE`"),
        (["--template", "python", "--option", "user=me"], "only where", '`user = "me"`'),
        (["--template", "python", "--option", "image=a", "--image", "b"], "given twice", "leave"),
        (["--template", "python", "--profile", "agent"], "has a profile", "leave one out"),
        (["--option", "image=x"], "none is named", "`--list-templates`"),
    ],
)  # fmt: skip
def test_mistakes_change_nothing(
    tmp_path: Path, arguments: list[str], message: str, hint: str
) -> None:
    done = sandboxd("init", tmp_path, *arguments)
    assert done.code == 2
    assert message in done.err and f"{hint}" in done.err.partition("hint: ")[2]
    assert paths(tmp_path) == set()


@pytest.mark.parametrize("spelling", [["--image", "img:1"], ["--option", "image=img:1"]])
def test_the_image_is_an_option(tmp_path: Path, spelling: list[str]) -> None:
    assert sandboxd("init", tmp_path, "-t", "node", *spelling).code == 0
    assert '\nimage = "img:1"\n' in (tmp_path / "sandboxd.toml").read_text()


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".devcontainer").mkdir()
    (tmp_path / ".devcontainer/docker-compose.yml").write_text("services: {}\n")
    (tmp_path / "sandboxd.toml").write_text("")
    before = paths(tmp_path)
    done = sandboxd("init", tmp_path, "--template", "compose-web")
    assert done.code == 2
    for name in (".devcontainer/docker-compose.yml", "sandboxd.toml"):
        assert f"`{tmp_path}/{name}`" in done.err
    assert "move it away" in done.err and paths(tmp_path) == before
    assert (tmp_path / "sandboxd.toml").read_text() == ""


def test_a_project_needs_no_sample(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Mine\n")
    (tmp_path / "main.go").write_text("package main\n")
    done = sandboxd("init", tmp_path, "--template", "go")
    assert done.code == 0
    assert paths(tmp_path) == {"README.md", "main.go", "sandboxd.toml"}
    assert "left out `sample`: the folder has a project already" in done.err


def test_a_repository_with_a_licence_alone_has_no_project_yet(tmp_path: Path) -> None:
    for name in ("README.md", "LICENSE", ".gitignore"):
        (tmp_path / name).write_text("")
    assert sandboxd("init", tmp_path, "--template", "rust").code == 0
    assert "sample/Cargo.toml" in paths(tmp_path)


def test_a_devcontainer_json_keeps_its_image(tmp_path: Path) -> None:
    (tmp_path / ".devcontainer.json").write_text('{"image": "theirs:1", "forwardPorts": [80]}')
    assert sandboxd("init", tmp_path, "--template", "python").code == 0
    assert '\n# image = "mcr.' in (tmp_path / "sandboxd.toml").read_text()
    assert sandboxd("generate", tmp_path).code == 0
    generated = (tmp_path / ".devcontainer/sandboxd/devcontainer.json").read_text()
    assert '"image": "theirs:1"' in generated and '"forwardPorts"' in generated
    shown = json.loads(sandboxd("explain-plan", tmp_path, "--json").out)
    assert shown["profile"] == "dev"


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (root / ".devcontainer").symlink_to(outside)
    done = sandboxd("init", root, "--template", "compose-web")
    assert done.code == 2 and "symbolic link" in done.err
    assert paths(root) == paths(outside) == set()
