"""What is installed is read from its own files: no client is started for its version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sandboxd.host import installed
from sandboxd.host.memory import Memory

if TYPE_CHECKING:
    from pathlib import Path


def test_versions_of_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "lib" / "cli"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"version": "0.88.0"}))
    program = folder / "devcontainer.js"
    program.write_text("#!/bin/false\n")
    program.chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "devcontainer").symlink_to(program)
    code = tmp_path / "code"
    code.mkdir()
    (code / "package.json").write_text('{"name": "Code", "version": "1.136.1"}')
    monkeypatch.setattr(installed, "_VSCODE", (str(tmp_path / "none"), str(code)))
    assert installed.programs({"PATH": str(tmp_path / "bin")}) == {
        "devcontainer-cli": "0.88.0",
        "vscode": "1.136.1",
    }


@pytest.mark.parametrize("text", ["", "[]", '{"version": 3}', "[" * 100_000])
def test_a_broken_package_json_is_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "package.json").write_text(text)
    monkeypatch.setattr(installed, "_VSCODE", (str(tmp_path),))
    assert installed.programs({"PATH": str(tmp_path)}) == {}


def test_packages_are_asked_once_for_each_state_of_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = tmp_path / "status"
    status.write_text("one")
    monkeypatch.setattr(installed, "_DPKG", str(status))
    answers = [{"runc": "1.0"}, {"runc": "2.0"}]
    monkeypatch.setattr(installed, "_ask_dpkg", lambda: answers.pop(0))
    memory = Memory(None)
    assert installed.packages(memory) == {"runc": "1.0"}
    assert installed.packages(memory) == {"runc": "1.0"}
    status.write_text("another")
    assert installed.packages(memory) == {"runc": "2.0"}


@pytest.mark.parametrize(
    ("misc", "devices", "expected"),
    [
        ("203 cuse\n229 fuse\n", None, True),
        ("229 fuse\n", "cuse cuse c10:203\nfuse fuse c10:229\n", True),
        ("229 fuse\n", "fuse fuse c10:229\n", False),
        ("229 fuse\n", None, None),
        (None, None, None),
    ],
)
def test_cuse(
    monkeypatch: pytest.MonkeyPatch, misc: str | None, devices: str | None, expected: bool | None
) -> None:
    texts = {"/proc/misc": misc, "/lib/modules/6.1/modules.devname": devices}
    monkeypatch.setattr(installed, "_text", texts.get)
    assert installed.cuse("6.1") is expected
