"""What an unfinished start left is known to the next one."""

from __future__ import annotations

import os
from pathlib import Path

from sandboxd.folders import state_folder
from sandboxd.life import journal


def test_a_note_is_there_until_it_is_cleared(tmp_path: Path) -> None:
    workspace = str(tmp_path)
    assert journal.noted(workspace) == ()
    journal.note(workspace, [".vscode", ".idea", ".vscode"])
    assert journal.noted(workspace) == (".idea", ".vscode")
    assert journal.noted("/another") == ()
    journal.clear(workspace)
    journal.clear(workspace)
    assert journal.noted(workspace) == ()


def test_only_what_is_missing_is_going_to_be_made(tmp_path: Path) -> None:
    (tmp_path / ".vscode").mkdir()
    (tmp_path / ".idea").symlink_to("nowhere")
    assert journal.absent(str(tmp_path), [".vscode", ".idea", ".husky"]) == (".husky",)


def test_a_damaged_note_names_nothing(tmp_path: Path) -> None:
    journal.note(str(tmp_path), ["a"])
    (note,) = Path(state_folder(os.environ), "unfinished").iterdir()
    for text in ("", "{", "3", '[1, "../x", "a/../../b"]', "[" * 5000):
        note.write_text(text)
        assert journal.noted(str(tmp_path)) == ()
