"""Files for the inside of sandboxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.state.inside_files import file_for_inside


def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    path = Path(file_for_inside(environ, "name", b"data", 0o644))
    assert path.read_bytes() == b"data"
    folder = path.parent.parent
    for each in (path, path.parent):
        each.unlink() if each.is_file() else each.rmdir()
    folder.rmdir()
    folder.write_bytes(b"a file in the way")
    with pytest.raises(EnvironmentFailure, match="cannot write") as failure:
        file_for_inside(environ, "name", b"data", 0o644)
    assert failure.value.hint
