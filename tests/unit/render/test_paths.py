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
def test_a_path_is_shown_from_the_working_directory_where_it_is_below(
    path: str, cwd: str, shown: str
) -> None:
    assert relative_path(path, cwd) == shown
