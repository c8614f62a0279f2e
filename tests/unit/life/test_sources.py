"""What the engine sees against what is here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine.process import program
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import sources
from tests.patience import eventually

FOLDER, LINK = 1 << 31, 1 << 27


class FarEngine:
    """An engine on another machine that sees `files` at /w."""

    host = "tcp://far:2376"
    is_local = False

    def __init__(self, files: dict[str, dict[str, Any]]) -> None:
        self.files = files

    def path_stat(self, _container: str, path: str) -> dict[str, Any] | None:
        return self.files.get(path)


def mounts(folder: Path) -> list[dict[str, Any]]:
    return [
        {"Type": "bind", "Source": str(folder), "Target": "/w"},
        {"Type": "volume", "Source": "v", "Target": "/v"},
    ]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("four")
    (tmp_path / "sub").mkdir()
    os.symlink("file", tmp_path / "link")
    return tmp_path


SAME = {
    "/w": {"mode": FOLDER},
    "/w/file": {"mode": 0o644, "size": 4},
    "/w/sub": {"mode": FOLDER},
    "/w/link": {"mode": LINK, "size": 4},
}


@pytest.mark.parametrize("options", [[], ["name=seccomp,profile=builtin", "name=userns"]])
def test_an_engine_that_maps_users_reads_no_private_folder_of_root(
    monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    class Here:
        def info(self) -> dict[str, Any]:
            return {"SecurityOptions": options}

    monkeypatch.setattr(sources, "engine_process", lambda _engine: os.getpid())
    assert sources.can_read_ours(Here()) is (not options)  # type: ignore[arg-type]


def test_the_same_folder(here: Path) -> None:
    sources.check(FarEngine(SAME), "c", mounts(here))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"/w": None}, "is not there"),
        ({"/w/file": None}, "`.*/file` is not there"),
        ({"/w/file": {"mode": 0o644, "size": 5}}, "has 5 bytes there and 4 here"),
        ({"/w/file": {"mode": FOLDER}}, "of another kind"),
        ({"/w/link": {"mode": 0o644, "size": 4}}, "of another kind"),
        ({"/w/sub": {"mode": LINK}}, "of another kind"),
    ],
)
def test_another_folder(here: Path, change: dict[str, Any], why: str) -> None:
    with pytest.raises(EnvironmentFailure, match=why) as error:
        sources.check(FarEngine(SAME | change), "c", mounts(here))  # type: ignore[arg-type]
    assert "tcp://far:2376" in error.value.message and "docker context use" in error.value.hint


def test_an_engine_of_this_machine_is_not_asked(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "on_this_machine", lambda _engine: True)
    sources.check(FarEngine({}), "c", mounts(here))  # type: ignore[arg-type]


def test_only_a_known_engine_behind_a_local_socket_is_this_machine(own_home: Path) -> None:
    import socket

    path = own_home / "engine.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        engine = FarEngine({})
        engine.host, engine.is_local = f"unix://{path}", True
        assert not sources.on_this_machine(engine), "pytest is no engine"  # type: ignore[arg-type]


@pytest.mark.parametrize(("word", "name"), [("/usr/bin/podman", "podman"), ("other", "other")])
def test_an_engine_that_started_itself_anew_is_known_by_its_first_word(
    tmp_path: Path, word: str, name: str
) -> None:
    """Rootless Podman does, by /proc/self/exe: the kernel calls it `exe` then."""
    copied = tmp_path / "exe"
    shutil.copy("/bin/sleep", copied)
    with subprocess.Popen([word, "60"], executable=copied) as process:
        try:
            eventually(lambda: program(process.pid) == name)
        finally:
            process.kill()
