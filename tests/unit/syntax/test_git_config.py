"""Git's configuration format, compared with what git itself reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxd.syntax.git_config import Entry, parse

TEXTS = {
    "plain": '[core]\n\tbare = false\n\thooksPath = .husky\n[remote "origin"]\n\turl = x\n',
    "true": "[core]\nbare\n[a] b\n",
    "one line": "[include] path = ../x\n[INCLUDE] PATH=y",
    "comments": '# a\n[a] ; b\nb = c # d\nc = d;e\nd = "e;f"#g\n',
    "quotes": '[a]\nb = "  x  " y  \nc = x" #"y\nd = "\\"q\\"" \\t z\n',
    "continued": "[a]\nb = one \\\n  two\\\nthree\nc = d\n",
    "dotted": "[Branch.Main]\nX-y = 1\n",
    "subsection": '[includeIf "gitdir:/a \\"b\\" ]"]\npath = p\n',
    "byte order mark": "\ufeff[a]\nb = c\n",
    "carriage returns": "[a]\r\nb = c \r\nd\r\n",
    "empty": '[a]\nb =\nc = ""\n',
    "no section": "a = b\n",
}
BROKEN = ("[a\nb = c\n", "[a]\n1b = c\n", '[a]\nb = "c\n', "[a]\nb = \\q\n", "[a]\nb c\n")


def by_git(path: Path) -> list[Entry]:
    done = subprocess.run(
        ["git", "config", "--no-includes", "--file", str(path), "--list", "-z"],
        capture_output=True,
        check=True,
    )
    entries = []
    for item in done.stdout.decode().split("\0")[:-1]:
        name, equals, value = item.partition("\n")
        entries.append(Entry(name, value if equals else None))
    return entries


@pytest.mark.parametrize("name", TEXTS)
def test_a_config_is_read_as_git_reads_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(TEXTS[name].encode())
    config = parse(TEXTS[name])
    assert list(config.entries) == by_git(path)
    assert config.broken == 0 and config.entries


@pytest.mark.parametrize("text", BROKEN)
def test_what_git_refuses_is_broken(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(subprocess.CalledProcessError):
        by_git(path)
    assert parse(text).broken > 0


def test_settings_after_a_broken_line_are_kept() -> None:
    config = parse("[core]\n= x\n\thooksPath = .husky\n")
    assert config.broken == 2
    assert config.entries == (Entry("core.hookspath", ".husky"),)


@pytest.mark.parametrize("broken", ["[b", '[b "c', '[b "c"', "b", 'b = "c', "1"])
def test_a_line_that_breaks_at_its_end_takes_nothing_of_the_next(broken: str) -> None:
    config = parse(f"[core]\n{broken}\n\thooksPath = .husky\n")
    assert Entry("core.hookspath", ".husky") in config.entries


@settings(max_examples=200)
@given(st.text(alphabet='[]"\\=#; \n\tabC.-1', max_size=60))
def test_any_text_is_read(text: str) -> None:
    config = parse(text)
    assert 0 <= config.broken <= text.count("\n") + 1
    assert all(entry.name for entry in config.entries)
