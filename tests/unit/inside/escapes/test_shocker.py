"""Where a file of the host is looked for once the root of its file system is open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.inside.escapes import shocker
from sandboxd.inside.escapes._kernel import Mount

CANARY = "/home/ann/.cache/sandboxd/canary"


@pytest.mark.parametrize(
    ("shown", "place"),
    [
        pytest.param("/work", "home/ann/.cache/sandboxd/canary", id="one file system"),
        pytest.param("/ann/shop", "ann/.cache/sandboxd/canary", id="/home is a file system"),
        pytest.param("/trees/one/shop", "trees/one/home/ann/.cache/sandboxd/canary", id="the host sees a folder of it"),
        pytest.param("/@home/ann/shop", "@home/ann/.cache/sandboxd/canary", id="/home is a folder elsewhere"),
    ],
)  # fmt: skip
def test_the_canary_is_found_wherever_its_file_system_is_mounted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str, place: str
) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True)
    file.write_text("token")
    monkeypatch.setattr(shocker, "mounts", lambda: [Mount("/", "/x"), Mount(str(tmp_path), shown)])
    monkeypatch.setattr(shocker, "call", lambda *_: os.open(tmp_path, os.O_RDONLY))
    found = shocker.attempt({"workspace": str(tmp_path), "canary": CANARY})
    assert found == {"token": "token", "detail": str(tmp_path)}


def test_a_root_without_it_is_no_escape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shocker, "mounts", lambda: [Mount(str(tmp_path), "/work")])
    monkeypatch.setattr(shocker, "call", lambda *_: os.open(tmp_path, os.O_RDONLY))
    with pytest.raises(FileNotFoundError):
        shocker.attempt({"workspace": str(tmp_path), "canary": CANARY})


def test_a_mount_has_its_place_in_its_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    line = "36 35 98:0 /trees/a\\040b /work\\040space rw - ext4 /dev/vda rw\n"
    monkeypatch.setattr("sandboxd.inside.escapes._kernel.read_text", lambda *_: line)
    from sandboxd.inside.escapes import _kernel

    assert _kernel.mounts() == [Mount("/work space", "/trees/a b")]
    assert _kernel.mount_points() == ["/work space"]
