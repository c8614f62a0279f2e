"""A path is shown below the working folder where it lies there, else as it is."""

from __future__ import annotations

import pytest

from sandboxd.render import relative_path


@pytest.mark.parametrize(
    ("path", "cwd", "shown"),
    [
        ("/a/b", "/a", "b"),
        ("/a/b", "/a/", "b"),
        ("/a/b", "/", "a/b"),
        ("/ab/c", "/a", "/ab/c"),
        ("/a/b", "", "/a/b"),
        ("b", "/a", "b"),
    ],
)
def test_where_a_path_is_shown(path: str, cwd: str, shown: str) -> None:
    assert relative_path(path, cwd) == shown
