"""Docker's spellings of a mount."""

from __future__ import annotations

import pytest

from sandboxd.formats import _mounts
from sandboxd.formats.resolved.variables import Variables
from sandboxd.model.container import Mount

NOTHING = Variables()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("type=bind,source=/a,target=/b", Mount("bind", "/a", "/b")),
        ("type=bind,src=/a,dst=/b,readonly", Mount("bind", "/a", "/b", True)),
        ("type=bind,src=/a,destination=/b,ro=true", Mount("bind", "/a", "/b", True)),
        ("type=bind,src=/a,dst=/b,readonly=false", Mount("bind", "/a", "/b", False)),
        ("source=cache,target=/c", Mount("volume", "cache", "/c")),
        ("target=/c", Mount("volume", "", "/c")),
        ("type=tmpfs,target=/t,tmpfs-size=1m", Mount("tmpfs", "", "/t", False, ("tmpfs-size=1m",))),
        ("type=npipe,source=x,target=y", Mount("other", "x", "y")),
        (
            "type=bind,source=/a,target=/b,bind-propagation=rshared",
            Mount("bind", "/a", "/b", False, ("bind-propagation=rshared",)),
        ),
        (
            'type=volume,target=/b,"volume-opt=o=bind,ro",volume-opt=device=/',
            Mount("volume", "", "/b", False, ("volume-opt=o=bind,ro", "volume-opt=device=/")),
        ),
        ('type=bind,"source=/with ""quotes"", and comma",target=/b', Mount(
            "bind", '/with "quotes", and comma', "/b")),
        ("", Mount("volume", "", "")),
        ('type=bind,"source=/open', Mount("bind", "/open", "")),
    ],
)  # fmt: skip
def test_csv(text: str, expected: Mount) -> None:
    assert _mounts.from_csv(text, NOTHING).mount == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/a:/b", Mount("bind", "/a", "/b")),
        ("/a:/b:ro", Mount("bind", "/a", "/b", True)),
        ("/a:/b:ro,z", Mount("bind", "/a", "/b", True, ("z",))),
        ("name:/b", Mount("volume", "name", "/b")),
        ("/only", Mount("volume", "", "/only")),
        (r"C:\work:/w", Mount("bind", r"C:\work", "/w")),
        ("c:/work:/w:ro", Mount("bind", "c:/work", "/w", True)),
        ("${localEnv:HOME}/.ssh:/s", Mount("bind", "${localEnv:HOME}/.ssh", "/s")),
        ("${localEnv:HOME:/root}/.ssh:/s", Mount("bind", "${localEnv:HOME:/root}/.ssh", "/s")),
        ("~/.ssh:/s", Mount("bind", "~/.ssh", "/s")),
        ("./data:/d", Mount("bind", "./data", "/d")),
        (r"\\.\pipe\docker_engine:/p", Mount("bind", r"\\.\pipe\docker_engine", "/p")),
        ("", Mount("volume", "", "")),
        ("${open", Mount("volume", "", "${open")),
    ],
)
def test_colons(text: str, expected: Mount) -> None:
    assert _mounts.from_volume(text, NOTHING).mount == expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("type=bind,source=/a,target=/a", "/a"),
        ("type=bind,target=/a,src=/a", "/a"),
        ("type=volume,target=/b,volume-opt=device=/srv", "/srv"),
    ],
)
def test_the_source_is_located(text: str, named: str) -> None:
    written = _mounts.from_csv(text, NOTHING)
    assert text[written.start : written.end] == named
    assert text[: written.start].endswith("=")


def test_the_second_of_two_equal_texts_is_located() -> None:
    text = "type=bind,target=/a,src=/a"
    assert _mounts.from_csv(text, NOTHING).start == text.rindex("/a")


def test_tmpfs() -> None:
    mount = _mounts.from_tmpfs("/tmp:rw,size=1m", NOTHING).mount
    assert mount == Mount("tmpfs", "", "/tmp", False, ("rw", "size=1m"))


def test_relative_sources_start_at_the_workspace() -> None:
    known = Variables(workspace="/srv/shop")
    assert _mounts.from_volume("../data:/d", known).mount.source == "/srv/shop/../data"


@pytest.mark.parametrize(
    ("text", "kind", "source"),
    [
        (":/x", "volume", ""),
        ("C:/data:/x", "bind", "C:/data"),
        ("C:\\data:/x", "bind", "C:\\data"),
        ("", "volume", ""),
        (":", "volume", ""),
    ],
)
def test_one_letter_is_a_drive_only_before_a_path(text: str, kind: str, source: str) -> None:
    mount = _mounts.from_volume(text, NOTHING).mount
    assert (mount.type, mount.source) == (kind, source)
