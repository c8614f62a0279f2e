"""What a command in a Pod says before it runs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.cli import attend
from sandboxd.cli.on_cluster import working
from sandboxd.operations.on_cluster import following


@pytest.mark.parametrize("env", [["NAME=value"], []])
def test_a_variable_is_said_to_be_in_the_request(
    env: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(attend, "run_begun", lambda *_, **_more: 7)
    monkeypatch.setattr(following, "follow", lambda _: SimpleNamespace(words=""))
    where: Any = SimpleNamespace()
    args: Any = SimpleNamespace(env=env, user="", root=False, workdir="")
    assert working.run_command(where, args, ["make"], tty=False, stdin=False) == 7
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "a variable of `-e` is in the request, which the cluster may log: a secret goes in by `sandboxd cp FILE :`\n"
        if env
        else ""
    )
