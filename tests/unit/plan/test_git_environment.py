"""The settings in the variables of a user are those that git itself reads there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sandboxd.plan.git_environment import settings_of

_PATH = {"PATH": os.defpath, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
VALUES = ("a b", "it's", "no!", "'", "!'!", "x=y", "", "\\\\'", "two\nlines", "tab\t")


def read_by_git(folder: Path, environ: dict[str, str]) -> list[tuple[str, str | None]]:
    """The settings of the variables, as git lists them."""
    words = ["git", "config", "--list", "-z", "--show-scope"]
    done = subprocess.run(
        words, cwd=folder, env=_PATH | environ, stdout=subprocess.PIPE, check=True
    )
    fields = iter(os.fsdecode(done.stdout).split("\0"))
    pairs = ((scope, next(fields, "")) for scope in fields)
    entries = (entry.partition("\n") for scope, entry in pairs if scope == "command")
    return [(key, value if newline else None) for key, newline, value in entries]


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"GIT_CONFIG_COUNT": "0"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "A.Sub.Key", "GIT_CONFIG_VALUE_0": "v"},
        {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.hooksPath",
            "GIT_CONFIG_VALUE_0": "h",
            "GIT_CONFIG_KEY_1": "not.counted",
            "GIT_CONFIG_VALUE_1": "x",
        },
        {"GIT_CONFIG_PARAMETERS": "'core.fsmonitor=of an older git'"},
        {"GIT_CONFIG_PARAMETERS": "'a.b'='c' 'd.e' 'f.g'="},
    ],
)
def test_git_reads_the_same_settings(environ: dict[str, str], tmp_path: Path) -> None:
    ours = [(name, value) for name, value in settings_of(environ)]
    # An empty value is true to git where its key has no `=`.
    assert ours == read_by_git(tmp_path, environ)


@pytest.mark.parametrize("value", VALUES)
def test_what_git_hands_on_is_read_as_it_was_said(value: str, tmp_path: Path) -> None:
    show = 'alias.told=!printf %s "$GIT_CONFIG_PARAMETERS"'
    settings = (f"user.Some=One.name={value}", f"core.editor={value}", show)
    words = ["git", *(word for setting in settings for word in ("-c", setting)), "told"]
    done = subprocess.run(words, cwd=tmp_path, env=_PATH, stdout=subprocess.PIPE, check=True)
    read = settings_of({"GIT_CONFIG_PARAMETERS": os.fsdecode(done.stdout)})
    assert [tuple(entry) for entry in read[1:2]] == [("core.editor", value)]


def test_a_count_that_is_none_and_one_without_end_are_no_settings() -> None:
    for count in ("", "-1", "x", "9" * 30):
        assert settings_of({"GIT_CONFIG_COUNT": count}) == ()
