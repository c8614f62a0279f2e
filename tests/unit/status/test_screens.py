"""Each state's screen at three widths, and that what it tells a person to type can be typed."""

from __future__ import annotations

import contextlib
import io
import re
import shlex

import pytest

from sandboxd.cli.main import build_parser, command_names, load_command
from sandboxd.screen import columns_of
from sandboxd.status import text
from tests.expected import Expect
from tools.screens import page
from tools.screens.recorded import FOLDER
from tools.screens.states import STATES, State

each_state = pytest.mark.parametrize("state", STATES, ids=[state.name for state in STATES])


@each_state
def test_the_screen_is_the_one_that_was_reviewed(state: State, expect: Expect) -> None:
    screens = [f"{columns} columns\n{page.screen(state, columns)}" for columns in page.WIDTHS]
    expect(FOLDER / f"{state.name}.txt", "\n".join(screens))


@each_state
def test_it_is_short_and_nothing_is_wider_than_the_terminal(state: State) -> None:
    assert len(page.screen(state, 80).splitlines()) <= 12
    for columns in (*page.WIDTHS, 47, 200):
        for line in page.screen(state, columns).splitlines():
            # A path or a command that is wider stays whole, to be copied.
            is_one_piece = " " not in line.strip() or line.count("`") == 2
            assert columns_of(line) <= columns or is_one_piece


@each_state
def test_no_sentence_stands_there_twice(state: State) -> None:
    texts = [line[16:].strip(" …") for line in page.screen(state, 140).splitlines()]
    long = [line for line in texts if len(line) > 20]
    assert len(long) == len(set(long))


@pytest.mark.parametrize("form", ["text", "long"])
def test_each_command_that_they_name_is_one(form: text.Form) -> None:
    named = {command for state in STATES for command in commands(state, form)}
    assert {"sandboxd up", "sandboxd verify", "sandboxd init", "sandboxd trust add"} <= named
    for command in named:
        parse(command)


def commands(state: State, form: text.Form) -> list[str]:
    shown = " ".join(text.render(state.make(), form, colour=False, columns=400).split())
    return re.findall(r"`(sandboxd [^`]*)`", shown)


def parse(command: str) -> None:
    """Fail unless the command line takes `command`."""
    _, name, *arguments = shlex.split(command)
    assert name in command_names(), command
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        try:
            build_parser(name, load_command(name)).parse_args(arguments)
        except SystemExit as end:
            assert end.code == 0, f"{command}: {errors.getvalue()}"


def test_a_command_that_is_none_is_noticed() -> None:
    with pytest.raises(AssertionError, match="no-such"):
        parse("sandboxd no-such")
    with pytest.raises(Exception, match="everything"):
        parse("sandboxd status --everything")


def test_every_recording_is_a_state() -> None:
    recordings = {path.stem for path in FOLDER.glob("*.json")}
    assert recordings == {state.name for state in STATES if not state.is_played}
