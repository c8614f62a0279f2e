"""A hint is there to be pasted: a name that a repository made up is one word in it."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

import pytest

from sandboxd.cli.commands import review as command
from sandboxd.errors import UsageError
from sandboxd.lint import tree
from sandboxd.project import Project
from sandboxd.review import weigh
from tests.unit.review.copies import Copy

EVIL = "e;touch ran;'x"


def words(hint: str) -> list[str]:
    """Those of the command between backticks."""
    return shlex.split(hint.split("`")[1])


def test_a_link_that_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / EVIL
    folder.mkdir()
    (folder / ".devcontainer").symlink_to("/nowhere")
    (skipped,) = tree.find([str(tmp_path)]).skipped
    assert words(skipped.hint) == ["sandboxd", "check", str(folder / ".devcontainer")]


def test_a_config_that_is_not_valid(tmp_path: Path) -> None:
    folder = tmp_path / EVIL
    folder.mkdir()
    (folder / "sandboxd.toml").write_text("profile = 1\n")
    with pytest.raises(UsageError) as caught:
        Project.open(str(folder), {})
    assert words(caught.value.hint) == ["sandboxd", "check", str(folder / "sandboxd.toml")]


def test_a_file_that_comes_by_name_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host = tmp_path / "host"
    host.mkdir()
    copy = Copy(tmp_path, host)
    (copy.inside / ".vscode").mkdir()
    (copy.inside / ".vscode" / EVIL).write_text("")
    changes = copy.changes()
    args = argparse.Namespace(deletions=None, yes=True)
    command._apply(changes, weigh.items(changes), [], args)
    hint = capsys.readouterr().err.rpartition("by ")[2]
    assert words(hint) == ["--include", f".vscode/{EVIL}"]
