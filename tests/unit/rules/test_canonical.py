"""One canonical form for every spelling of a host path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.model.container import Mount
from sandboxd.rules._mounts import canonical, host_source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/", "/"),
        ("//", "/"),
        ("/a//b/./c/../d/", "/a/b/d"),
        ("/../..", "/"),
        ("/var/run/docker.sock", "/run/docker.sock"),
        ("/private/var/run/x", "/run/x"),
        ("/var/running", "/var/running"),
        ("~", "~"),
        ("~/.ssh/", "~/.ssh"),
        ("~/..", "/home"),
        ("~/../..", "/"),
        ("${localEnv:HOME}", "~"),
        ("${localEnv:HOME:/x}/y", "~/y"),
        ("${env:USERPROFILE}", "~"),
        ("${localEnv:HOME}${localEnv:USERPROFILE}/.aws", "~/.aws"),
        ("${localEnv:HOMEDRIVE}${localEnv:HOMEPATH}\\x", "~/x"),
        ("$HOME/x", "~/x"),
        ("$HOMES/x", "$HOMES/x"),
        ("${HOME}/x", "~/x"),
        ("%USERPROFILE%\\.ssh", "~/.ssh"),
        ("/home/kim/.ssh", "~/.ssh"),
        ("/home/", "/home"),
        ("/Users/kim", "~"),
        ("/root/x", "~/x"),
        ("/rooted", "/rooted"),
        ("/var/home/kim/x", "~/x"),
        ("C:\\Users\\kim\\.ssh", "~/.ssh"),
        ("c:/", "c:"),
        ("C:", "c:"),
        ("/mnt/c/Users/kim", "~"),
        ("/mnt/cache", "/mnt/cache"),
        ("/host_mnt/c", "c:"),
        ("/run/desktop/mnt/host/d/x", "d:/x"),
        ("//wsl$/Ubuntu/home/kim", "~"),
        ("\\\\wsl.localhost\\Debian\\etc", "/etc"),
        ("//wsl$/Ubuntu", "/"),
        ("\\\\?\\C:\\x", "c:/x"),
        ("//./C:/x", "c:/x"),
        ("//./", "/"),
        ("//./etc/shadow", "/etc/shadow"),
        ("\\\\.\\pipe\\Docker_Engine", "//./pipe/docker_engine"),
        ("/proc/1/root", "/"),
        ("/proc/self/root/etc", "/etc"),
        ("/proc/1/root/proc/self/root/mnt/c", "c:"),
        ("/proc/1/rooted", "/proc/1/rooted"),
        ("${localWorkspaceFolder}/a/../b", "${localWorkspaceFolder}/b"),
        ("${localWorkspaceFolder}/..", "${localWorkspaceFolder}/.."),
        ("${localWorkspaceFolder}/../../.aws", "${localWorkspaceFolder}/../../.aws"),
        ("${localEnv:DATA:/}/x", "/x"),
        ("${localEnv:DATA}/x", "${localEnv:DATA}/x"),
        ("", ""),
    ],
)
def test_spellings(source: str, expected: str) -> None:
    assert canonical(source) == expected


def test_a_home_elsewhere() -> None:
    assert canonical("/data/kim/.ssh", "/data/kim") == "~/.ssh"
    assert canonical("/data/kimono", "/data/kim") == "/data/kimono"
    assert canonical("/etc", "/") == "/etc"


PARTS = st.lists(
    st.sampled_from(["a", "..", ".", "", "~", "home", "mnt", "c", "proc", "1", "root"])
)


@given(PARTS)
def test_detours_change_nothing(parts: list[str]) -> None:
    path = "/" + "/".join(parts)
    assert canonical(path + "/x/..") == canonical(path)
    assert canonical(path.replace("/", "//") or "/") == canonical(path)


@given(st.text(alphabet="/\\.~$:{}abcC%HOME1", max_size=40))
def test_any_text_has_a_form(text: str) -> None:
    assert isinstance(canonical(text), str)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("volume-opt=device=/home", "volume-opt=o=bind"), "/home"),
        (("volume-opt=device=/home", "volume-subpath=me"), "/home/me"),
        (("volume-opt=device",), ""),
        (("volume-opt",), ""),
        (("volume-opt=",), ""),
    ],
)
def test_the_folder_behind_a_volume(options: tuple[str, ...], expected: str) -> None:
    assert host_source(Mount("volume", "data", "/x", options=options)) == expected
