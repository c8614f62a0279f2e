"""What a rule of an AppArmor profile covers, however its path is written."""

from __future__ import annotations

import warnings

import pytest

from sandboxd.formats import apparmor
from sandboxd.formats._apparmor_profiles import profiles
from sandboxd.model.apparmor import FileAccess
from sandboxd.text import SourceText


def access(rules: str) -> FileAccess:
    text = f"profile x {{\n  {rules}\n}}\n"
    (profile,) = profiles(apparmor.parse(SourceText("apparmor/x", text)))
    return profile.access()


def may_write(glob: str, path: str) -> bool:
    return access(f"{glob} w,").may(path, "w")


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
        ("@{PROC}/sys/**", "/proc/sys/kernel/x", True),
        ("@{PROC}@{pid}/mem", "/proc/123/mem", True),
        ("@{PROC}@{pids}/mem", "/proc/123/mem", True),
        ("@{PROC}@{pid}/task/@{tid}/mem", "/proc/123/task/123/mem", True),
        ("@{sys}/kernel/**", "/sys/kernel/debug", True),
        ("@{run}/docker.sock", "/run/docker.sock", True),
        ("@{HOME}/.ssh/**", "/home/user/.ssh/id", True),
        ("@{HOMEDIRS}**", "/home/user/x", True),
        ("@{PROC}@{pid}/**", "/proc/sys/kernel/x", False),
        ("@{PROC}@{pids}/**", "/proc/sys/kernel/x", False),
        ("@{PROC}@{tid}/**", "/proc/sys/kernel/x", False),
        ("@{unknown}/mem", "/proc/123/mem", True),
    ],
)
def test_wildcards_of_a_path(glob: str, path: str, covers: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert may_write(glob, path) is covers


def test_a_path_of_wildcards_that_fits_in_countless_ways_is_not_tried() -> None:
    assert not may_write("/" + "**{r,o,}" * 30 + "zz", "/proc/sys/kernel/core_pattern")
    assert not may_write("/" + "**r" * 30 + "zz", "/proc/sys/kernel/core_pattern")


def test_the_rule_that_decides_is_the_same_whichever_rules_are_tried() -> None:
    globs = [
        "/a/b", "/a/*", "/a/**", "/**", "**", "/a/{b,c}", "/a/[b-c]", "/?/b", '"/a/b"', "/a//b",
        "@{UNKNOWN}/b", "@{PROC}/kcore", "/{a,x}/b", "{/a,/x}/b", "/a/b*", "/x",
    ]  # fmt: skip
    for glob in globs:
        for path in ("/a/b", "/a/c", "/x/b", "/x", "/proc/kcore", "/a/"):
            alone = access(f"{glob} r,").may(path, "r")
            others = "".join(f"/other{number}/** r," for number in range(5))
            assert access(f"{others} {glob} r,").may(path, "r") is alone, (glob, path)
            denied = access(f"all, {others} deny {glob} r,")
            assert denied.may(path, "r") is not alone, (glob, path)
            raised = access(f"deny {glob} r, {others} priority=2 {path} r,")
            assert raised.may(path, "r"), (glob, path)


def test_of_several_rules_that_allow_the_first_one_decides() -> None:
    deciding = access("/a/** r, all, /a/b r, /** r,").deciding("/a/b", "r")
    assert deciding is not None and deciding.path == "/a/**"
    deciding = access("all, /a/b r,").deciding("/a/b", "r")
    assert deciding is not None and deciding.word == "all"
