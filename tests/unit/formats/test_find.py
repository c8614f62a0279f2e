"""Each kind claims its own files and refuses their neighbours."""

from __future__ import annotations

import pytest

from sandboxd import formats


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (".devcontainer/devcontainer.json", "devcontainer"),
        ("/a/b/.devcontainer.json", "devcontainer"),
        ("devcontainer.json", "devcontainer"),
        ("x/sandboxd.toml", "sandboxd_toml"),
        ("package.json", "package_json"),
        ("package-lock.json", None),
        ("a/.cursor/worktrees.json", "cursor_worktrees"),
        ("mise.toml", "mise"),
        ("a/.config/mise.toml", "mise"),
        ("lefthook.toml", "lefthook"),
        ("Taskfile.yml", "taskfile"),
        ("x/taskfile.dist.yaml", "taskfile"),
        ("taskfiles/run.yml", None),
        ("Taskfile.md", None),
        ("Dockerfile.go", "dockerfile"),
        ("Dockerfile_python-3.11", "dockerfile"),
        ("dev.Dockerfile", "dockerfile"),
        ("dockerfile_builder.go", None),
        ("dockerfile.test.ts", None),
        ("parse-dockerfile.rs", None),
        ("x/apparmor/LICENSE", "apparmor"),
        ("ftplugin/dockerfile.vim", None),
        ("icons/Dockerfile.svg", None),
        ("devcontainer.json.bak", None),
        ("my-devcontainer.json", None),
        ("devcontainer-lock.json", "feature_lock"),
    ],
)
def test_by_name(path: str, name: str | None) -> None:
    kind = formats.find(path)
    assert (kind.NAME if kind else None) == name


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("Dockerfile.go", "# a comment\n\nFROM golang\n", "dockerfile"),
        ("deploy/Taskfile.yml", "version: '3'\ntasks: {}\n", "taskfile"),
        ("taskfile.yml", "half typed", "taskfile"),
        ("taskfile-names.yml", "a: b\n", None),
        ("Dockerfile.go", "arg X\nFROM golang\n", "dockerfile"),
        ("dockerfile.go", "// Package x\npackage builder\n", None),
        ("dockerfile.ts", "import x from 'y'\n", None),
        ("Dockerfile", "half typed", "dockerfile"),
        ("x/apparmor/LICENSE", "                 GNU GENERAL PUBLIC LICENSE\n", None),
        ("x/apparmor/README", "# AppArmor\n\nThis folder holds {profiles},\n", None),
        ("x/apparmor/Makefile", "all:\n\tmake -C x\n", "shell_docker_run"),
        ("x/apparmor/setup", "#!/bin/sh\nexit 0\n", None),
        ("x/apparmor/app", "# a comment\nabi <abi/4.0>,\n", "apparmor"),
        ("x/apparmor/app", "#include <tunables/global>\n", "apparmor"),
        ("x/apparmor/app", "/usr/bin/app {\n", "apparmor"),
        ("x/apparmor/app", "", "apparmor"),
    ],
)
def test_by_name_and_first_lines(path: str, text: str, name: str | None) -> None:
    kind = formats.find(path, text)
    assert (kind.NAME if kind else None) == name


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/p/.devcontainer/devcontainer.json", True),
        ("/p/.devcontainer/go/devcontainer.json", True),
        ("/p/.devcontainer.json", True),
        ("/p/deep/down/.devcontainer/devcontainer.json", True),
        ("/p/sandboxd.toml", True),
        ("/p/devcontainer.json", True),
        ("/p/templates/x/devcontainer.json", True),
        ("/p/.devcontainer/a/b/devcontainer.json", True),
        ("/p/my-devcontainer.json", False),
        ("/p/.devcontainer/go/.devcontainer.json.swp", False),
    ],
)
def test_in_a_tree(path: str, wanted: bool) -> None:
    assert (formats.find_in_tree(path) is not None) == wanted


def test_every_kind_says_its_name_and_can_be_got_by_it() -> None:
    for name, kind in formats.load().items():
        assert name == kind.NAME
        assert formats.get(name) is kind
