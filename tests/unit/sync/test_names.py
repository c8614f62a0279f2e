"""Names from inside, as the host's file system reads them."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from sandboxd.sync.names import Names, Reading, reading_of
from tests.unit.sync.model import EXACT, Pair, of

HOST = ("src", "src/Main.py", "caf\u00e9", "K")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("src/other.py", ""),
        ("src/Main.py", ""),
        ("lib/main.py", ""),
        ("src/main.py", "its name is the same as `Main.py` to the host"),
        ("src/MAIN.PY.", "its name is the same as `Main.py` to the host"),
        ("src/Ma\u200bin.py", "its name has characters that drive a terminal, or that nobody sees"),
        (
            unicodedata.normalize("NFD", "caf\u00e9"),
            "its name is the same as `caf\u00e9` to the host",
        ),
        ("\u212a", "its name is the same as `K` to the host"),
        ("SECRET~1.TXT", "its name is the second name of another file on some file systems"),
        ("a\nb", "its name has characters that drive a terminal, or that nobody sees"),
        ("x" * 256, "its name is too long"),
    ],
)
def test_a_host_that_folds_names(path: str, reason: str) -> None:
    assert Names(Reading(), (HOST,)).reason_against(path) == reason


@pytest.mark.parametrize("path", ["src/main.py", "src/MAIN.PY.", "SECRET~1.TXT"])
def test_a_host_that_reads_names_as_they_are(path: str) -> None:
    assert Names(EXACT, (HOST,)).reason_against(path) == ""


def test_of_two_new_names_that_are_one_the_first_passes() -> None:
    names = Names(Reading(), ())
    assert names.reason_against("a/B") == ""
    assert names.reason_against("a/b") == "its name is the same as `B` to the host"
    assert names.reason_against("a/B") == ""
    pair = Pair({}, of({"B/x": "1", "b/y": "2"}))
    pair.settle(reading=Reading())
    assert pair.host == of({"B/x": "1"})


def test_how_a_file_system_reads_names_is_asked_of_what_it_has(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        # Nothing is there that could be asked for.
        assert reading_of(folder) == Reading()
        (tmp_path / "a").write_text("")
        folds = (tmp_path / "A").exists()
        assert reading_of(folder).folds is folds
        (tmp_path / "A").write_text("")
        assert reading_of(folder).folds is folds
    finally:
        os.close(folder)
