"""Each kind claims its own files and refuses their neighbours."""

from __future__ import annotations

import pytest

from sandboxd import kinds


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (".devcontainer/devcontainer.json", "devcontainer"),
        ("/a/b/.devcontainer.json", "devcontainer"),
        ("devcontainer.json", "devcontainer"),
        ("x/sandboxd.toml", "sandboxd_toml"),
        ("package.json", None),
        ("Dockerfile.go", "dockerfile"),
        ("ftplugin/dockerfile.vim", None),
        ("icons/Dockerfile.svg", None),
        ("devcontainer.json.bak", None),
        ("my-devcontainer.json", None),
        ("devcontainer-lock.json", "feature_lock"),
    ],
)
def test_by_name(path: str, name: str | None) -> None:
    found = kinds.find(path)
    assert (found.NAME if found else None) == name


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/p/.devcontainer/devcontainer.json", True),
        ("/p/.devcontainer/go/devcontainer.json", True),
        ("/p/.devcontainer.json", True),
        ("/p/deep/down/.devcontainer/devcontainer.json", True),
        ("/p/sandboxd.toml", True),
        ("/p/devcontainer.json", False),
        ("/p/.devcontainer/a/b/devcontainer.json", False),
        ("/p/.devcontainer/go/.devcontainer.json.swp", False),
    ],
)
def test_in_a_tree(path: str, wanted: bool) -> None:
    assert (kinds.find_in_tree(path) is not None) == wanted


def test_every_kind_says_its_name_and_can_be_got_by_it() -> None:
    for name, kind in kinds.load().items():
        assert name == kind.NAME
        assert kinds.get(name) is kind
