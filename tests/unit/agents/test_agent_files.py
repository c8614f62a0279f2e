"""What agents read and keep on a host stands in their own files, and is judged from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd import agent_files
from sandboxd.policy.acts_on_host import weigh
from tools import agent_files as made

NEW = """
title = "Newcomer"

[host]
source = "https://example.org/newcomer"
project = [".newcomer", "NEWCOMER.md"]
stubs = [".newcomer"]
instructions = ["NEWCOMER.md"]
definitions = [".newcomer"]
servers = [".newcomer"]
login = [".newcomer/auth"]
startup = [".newcomer/hooks"]
caches = [".newcomer/auth/cache"]
variables = { NEWCOMER_HOME = "~/.newcomer" }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(made, "ROOT", tmp_path)
    path = tmp_path / made.FOLDERS[1]
    path.mkdir(parents=True)
    return path


def test_one_file_brings_all_that_is_known_of_an_agent(folder: Path) -> None:
    (folder / "newcomer.toml").write_text(NEW)
    names: dict[str, object] = {}
    exec(compile(made.text(), "agent_files", "exec"), names)
    assert {name: names[name] for name in names if name.isupper()} == {
        "PROJECT": (("https://example.org/newcomer", (".newcomer", "NEWCOMER.md")),),
        "STUBS": (".newcomer",),
        "INSTRUCTIONS": ("newcomer.md",),
        "DEFINITIONS": (".newcomer/",),
        "SERVERS": {".newcomer": "Newcomer"},
        "LOGINS": (".newcomer/auth",),
        "STARTUP": (".newcomer/hooks",),
        "CACHES": (".newcomer/auth/cache",),
        "VARIABLES": {"NEWCOMER_HOME": "~/.newcomer"},
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('colour = "red"', "newcomer.toml: `host` has an unknown key `colour`"),
        ('login = ["~/.x", 1]', "newcomer.toml: `login` of `host` is no list of names"),
        ('source = "a book"', "newcomer.toml: `host` has no source"),
    ],
)
def test_a_table_that_is_not_valid_is_refused(folder: Path, line: str, message: str) -> None:
    key = line.split()[0]
    rest = [each for each in NEW.splitlines() if not each.startswith(f"{key} ")]
    (folder / "newcomer.toml").write_text("\n".join([*rest, line]))
    with pytest.raises(ValueError, match=message):
        made.text()


def test_every_file_of_a_project_that_an_agent_obeys_acts_on_the_host() -> None:
    names = [name for _, each in agent_files.PROJECT for name in each]
    assert len(names) == len(set(names))
    assert {weigh(name.replace("*", "x"))[0] for name in names} == {"control"}


def test_a_folder_that_may_be_made_empty_is_one_that_an_agent_obeys() -> None:
    assert {*agent_files.STUBS} <= {name for _, each in agent_files.PROJECT for name in each}
