"""Files that are somebody else's: which they are, and that what is found in them is counted and not listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.findings import OTHERS
from sandboxd.host.facts import UNKNOWN
from sandboxd.lint import others, tree
from sandboxd.lint.linter import Linter
from sandboxd.lint.settings import USUAL_OTHERS

WEAK = '{"image": "debian:12", "runArgs": ["--privileged"]}'
PATHS = {
    "devcontainer.json": False,
    "vendor/a/devcontainer.json": True,
    "deep/tests/fixtures/devcontainer.json": True,
    "pkg/testdata/devcontainer.json": True,
    "third_party/x/devcontainer.json": True,
    "devcontainer.example.json": True,
    "vendored/devcontainer.json": False,
    "fixtures.md": False,
}


@pytest.mark.parametrize(("path", "expected"), PATHS.items())
def test_usual_others(path: str, expected: bool) -> None:
    found = others.among([f"/p/{path}"], "/p", "/p", USUAL_OTHERS)
    assert found == ({f"/p/{path}"} if expected else set())


def test_a_folder_that_is_named_is_nobody_elses() -> None:
    paths = ["/p/vendor/a/Dockerfile", "/p/vendor/testdata/Dockerfile"]
    assert others.among(paths, "/p/vendor", "/p", USUAL_OTHERS) == {paths[1]}
    assert others.among(["/vendor/Dockerfile"], "/", "/", USUAL_OTHERS) == {"/vendor/Dockerfile"}


def _checked(folder: Path, no_allow: str = "") -> dict[str, str]:
    linter = Linter({"HOME": "/nowhere"}, UNKNOWN, no_allow=no_allow)
    report = linter.check_tree(str(folder), tree.MAX_ENTRIES)
    return {
        str(Path(finding.place.path).relative_to(folder)): (
            finding.suppressed.by if finding.suppressed else ""
        )
        for finding in report.findings
        if finding.rule == "privileged-container"
    }


def test_findings_of_others_are_suppressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    for folder in ("vendor", "own", "copies"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "devcontainer.json").write_text(WEAK)
    own, vendor, copies = (f"{name}/devcontainer.json" for name in ("own", "vendor", "copies"))
    assert _checked(tmp_path) == {own: "", vendor: OTHERS, copies: ""}
    assert _checked(tmp_path, "--no-allow") == {own: "", vendor: "", copies: ""}
    (tmp_path / "sandboxd.toml").write_text('[check]\nothers = ["/copies/"]\n')
    assert _checked(tmp_path) == {own: "", vendor: "", copies: OTHERS}
    (tmp_path / "sandboxd.toml").write_text("[check]\nothers = []\n")
    assert _checked(tmp_path) == {own: "", vendor: "", copies: ""}


def test_what_a_file_of_ours_refers_to_counts(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "compose.yaml").write_text(
        "services:\n  a:\n    image: debian:12\n    privileged: true\n"
    )
    (tmp_path / ".devcontainer.json").write_text(
        '{"dockerComposeFile": "vendor/compose.yaml", "service": "a", "workspaceFolder": "/w"}'
    )
    assert _checked(tmp_path) == {"vendor/compose.yaml": ""}
