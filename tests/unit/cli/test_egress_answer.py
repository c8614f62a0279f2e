"""What `egress allow` and `deny` say of the sandboxes in which an answer is in force."""

from __future__ import annotations

import argparse

import pytest

from sandboxd.cli.commands.egress._asking import say_whether_live


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ([""], "in force now"),
        (["two"], "in force now in `two`"),
        (["two", "", "one"], "in force now in the sandbox without a name, `one` and `two`"),
    ],
)
def test_the_sandboxes_are_named_unless_there_is_only_the_usual_one(
    capsys: pytest.CaptureFixture[str], names: list[str], line: str
) -> None:
    arguments = argparse.Namespace(name="two", project=".", on=None)
    say_whether_live(arguments, {"is_live": True, "sandboxes": names})
    assert capsys.readouterr().err == f"{line}\n"
