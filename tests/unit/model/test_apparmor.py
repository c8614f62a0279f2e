"""What a rule of an AppArmor profile covers, however its path is written."""

from __future__ import annotations

import warnings

import pytest

from sandboxd.kinds import apparmor
from sandboxd.kinds._apparmor_profiles import profiles
from sandboxd.text import SourceText


def may_write(glob: str, path: str) -> bool:
    text = f"profile x {{\n  {glob} w,\n}}\n"
    (profile,) = profiles(apparmor.parse(SourceText("apparmor/x", text)))
    return profile.may(path, "w")


@pytest.mark.parametrize(
    ("glob", "path", "covers"),
    [
        ("/proc/[0-9]*/mem", "/proc/1/mem", True),
        ("/proc/[^0-9]*/mem", "/proc/1/mem", False),
        ("/a/[a--z]", "/a/b", False),
        ("/a/[a--z]", "/a/-", True),
        ("/a/[[x]", "/a/[", True),
        ("/a/[&&~~||]", "/a/~", True),
        ("/a/[", "/a/[", True),
        ("/a/{b,c}/**", "/a/c/d/e", True),
        ("/a/*", "/a/b/c", False),
    ],
)
def test_wildcards_of_a_path(glob: str, path: str, covers: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert may_write(glob, path) is covers


def test_a_path_of_wildcards_that_fits_in_countless_ways_is_not_tried() -> None:
    assert not may_write("/" + "**{r,o,}" * 30 + "zz", "/proc/sys/kernel/core_pattern")
    assert not may_write("/" + "**r" * 30 + "zz", "/proc/sys/kernel/core_pattern")
