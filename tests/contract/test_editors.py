"""The VS Code extension is of this version, and its locks name no registry."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sandboxd import __version__

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = ROOT / "editor-extension"


def test_the_extension_has_the_version_of_sandboxd() -> None:
    assert json.loads((EXTENSION / "package.json").read_text())["version"] == __version__


@pytest.mark.parametrize("folder", ["editor-extension", "tests/e2e/vscode"])
def test_a_lock_has_hashes_and_exact_versions_and_no_registry(folder: str) -> None:
    text = (ROOT / folder / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert len(packages) > 3
    assert '"resolved"' not in text
    assert [name for name, one in packages.items() if name and "integrity" not in one] == []
    wanted = json.loads((ROOT / folder / "package.json").read_text())
    versions = {**wanted["dependencies"], **wanted.get("devDependencies", {})}
    assert [name for name, version in versions.items() if not version[0].isdigit()] == []


def test_every_command_that_is_shown_is_there() -> None:
    package = json.loads((EXTENSION / "package.json").read_text())
    shown = {item["command"] for item in package["contributes"]["commands"]}
    source = (EXTENSION / "src" / "extension.ts").read_text()
    block = source[source.index("const commands:") : source.index("this.subscriptions.push(")]
    commands = {f"sandboxd.{name}" for name in re.findall(r"^ {12}(\w+): \(", block, re.M)}
    assert commands == shown
    named = set(re.findall(r"command:(sandboxd\.\w+)", json.dumps(package["contributes"])))
    assert named <= shown


def test_the_pages_show_pictures_that_are_there() -> None:
    """Light and dark, each with words for who does not see it."""
    page = (ROOT / "README.md").read_text()
    pictures = re.findall(r'(?:srcset|src)="([^"]+)"', page)
    assert len(pictures) >= 4
    assert len(re.findall(r'alt="[^"]{20,}"', page)) == len(pictures) // 2
    assert [name for name in pictures if not (ROOT / name).is_file()] == []
