"""What counts as a change of a project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.daemon.scan import Scan, scan, stamp_of_folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "p"
    (folder / ".devcontainer" / "python").mkdir(parents=True)
    (folder / "sandboxd.toml").write_text("")
    (folder / ".devcontainer" / "python" / "devcontainer.json").write_text("{}")
    return folder


def test_config_files_and_folders_are_found(project: Path) -> None:
    result = scan(str(project))
    assert [entry[0] for entry in result.stamp] == [
        ".devcontainer/python/devcontainer.json",
        "sandboxd.toml",
    ]
    assert result.folders == (
        str(project),
        str(project / ".devcontainer"),
        str(project / ".devcontainer" / "python"),
    )


def test_a_write_a_replacement_and_a_removal_are_changes(project: Path) -> None:
    stamps = [scan(str(project)).stamp]
    config = project / "sandboxd.toml"
    config.write_text("a = 1\n")
    stamps.append(scan(str(project)).stamp)
    (project / "new").write_text("a = 2\n")
    os.rename(project / "new", config)
    stamps.append(scan(str(project)).stamp)
    config.unlink()
    stamps.append(scan(str(project)).stamp)
    assert len(set(stamps)) == 4


def test_other_files_are_no_change(project: Path) -> None:
    before = scan(str(project))
    (project / "main.py").write_text("x")
    (project / ".devcontainer" / "notes.md").write_text("x")
    assert scan(str(project)) == before


def test_the_target_of_a_link_counts(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "shared.toml"
    target.write_text("a = 1\n")
    (project / "sandboxd.toml").unlink()
    (project / "sandboxd.toml").symlink_to(target)
    before = scan(str(project))
    target.write_text("a = 2  # longer\n")
    assert scan(str(project)).stamp != before.stamp


def test_linked_folders_are_not_entered(project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "devcontainer.json").write_text("{}")
    (project / ".devcontainer" / "link").symlink_to(elsewhere)
    assert not any("link" in name for name, *_ in scan(str(project)).stamp)


def test_thousands_of_subfolders_cost_a_bounded_look(project: Path) -> None:
    for number in range(300):
        (project / ".devcontainer" / f"d{number}").mkdir()
    assert len(scan(str(project)).folders) <= 66


def test_of_a_missing_project_the_nearest_folder_is_watched(tmp_path: Path) -> None:
    result = scan(str(tmp_path / "a" / "b"))
    assert not result.exists
    assert result.folders == (str(tmp_path),)


def test_only_our_own_writes_are_taken_as_dealt_with(project: Path) -> None:
    before = scan(str(project))
    (project / "sandboxd.toml").write_text("changed while generating\n")
    (project / ".devcontainer" / "devcontainer.json").write_text("{}")
    after = scan(str(project)).with_older(before, [".devcontainer/devcontainer.json"])
    names = {entry[0]: entry for entry in after.stamp}
    assert ".devcontainer/devcontainer.json" in names
    assert names["sandboxd.toml"] == {e[0]: e for e in before.stamp}["sandboxd.toml"]
    assert scan(str(project)).stamp != after.stamp


def test_a_project_that_goes_away_differs_from_an_empty_one() -> None:
    empty = Scan(True, (), ("/p",), 0)
    assert empty.differs(empty._replace(exists=False))
    assert not empty.differs(empty._replace(folders=("/",), saved=7))


def test_an_edit_of_a_policy_that_keeps_its_size_and_time_is_a_change(tmp_path: Path) -> None:
    """As `cp -p` or a restored backup makes it."""
    policy = tmp_path / "policy.toml"
    policy.write_text("trust = true \n")
    before, status = stamp_of_folder(str(tmp_path), [policy.name]), policy.stat()
    policy.write_text("trust = false\n")
    os.utime(policy, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = policy.stat()
    assert (after.st_size, after.st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert stamp_of_folder(str(tmp_path), [policy.name]) != before
