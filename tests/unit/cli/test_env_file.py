"""Files of variables at the command line: each name once, and no line of a broken one is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.cli import env_file
from sandboxd.errors import UsageError


def test_values_are_read_and_the_last_one_of_a_name_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "a.env", tmp_path / "b.env"
    first.write_text("# a comment\n\nA=1\nexport B = 'two words' \nC=x=y # z\n")
    second.write_text('A="3"\nEMPTY=\n')
    assert env_file.read([str(first), str(second)]) == {
        "A": "3",
        "B": "two words",
        "C": "x=y # z",
        "EMPTY": "",
    }


@pytest.mark.parametrize("line", ["s3cr3t", "1A=s3cr3t", "A B=s3cr3t", "=s3cr3t"])
def test_a_line_that_is_none_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.env"
    path.write_text(f"A=1\n{line}\n")
    with pytest.raises(UsageError, match=r"line 2 of .* is no variable") as raised:
        env_file.read([str(path)])
    assert "s3cr3t" not in str(raised.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="`--env-file /no/such` "):
        env_file.read(["/no/such"])
