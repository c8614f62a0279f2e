"""What git ignores is left out of a check, and is said to be."""

from __future__ import annotations

from pathlib import Path

from tests.integration.checking import check


def test_a_config_that_git_ignores_is_said_to_be_left_out(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("compose*.yml\nnode_modules/\n")
    (tmp_path / "node_modules").mkdir()
    for name in ("docker-compose.yml", "node_modules/compose.yml"):
        (tmp_path / name).write_text("services: {}\n")
    assert check(tmp_path).stderr == ""
    (tmp_path / "compose.my.yml").write_text("services: {}\n")
    done = check(tmp_path)
    assert done.returncode == 0
    assert done.stderr == (
        "1 file, which git ignores, is left out: `sandboxd check compose.my.yml` checks it\n"
    )
    assert check(tmp_path, "compose.my.yml").stderr == ""
    for number in range(4):
        (tmp_path / f"compose.{number}.yml").write_text("services: {}\n")
    done = check(tmp_path, "--list-files")
    assert done.stdout == "docker-compose.yml\tcompose\n"
    assert done.stderr == (
        "5 files, which git ignores, are left out: "
        "`sandboxd check compose.0.yml compose.1.yml compose.2.yml` checks the first 3\n"
    )
