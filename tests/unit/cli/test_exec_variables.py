"""What `exec` says of variables before it runs a command where the request may be logged."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from sandboxd.cli import attend
from sandboxd.cli.commands import exec


@pytest.mark.parametrize(
    ("on", "env", "says"), [("team", ["N=v"], True), ("team", [], False), ("", ["N=v"], False)]
)
def test_a_variable_is_said_to_be_in_the_request(
    on: str,
    env: list[str],
    says: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ran: list[str] = []

    def run(*_: object, **more: object) -> int:
        ran.append(str(more["on"]))
        return 7

    monkeypatch.setattr(attend, "run", run)
    args = argparse.Namespace(
        on=on, env=env, user="", root=False, workdir="", name="", project=str(tmp_path),
        command=["make"], no_tty=True, no_stdin=True, no_daemon=True,
    )  # fmt: skip
    assert exec.run(args) == 7 and ran == [on]
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "a variable of `-e` is in the request, which the cluster may log: a secret goes in by `sandboxd cp FILE :`\n"
        if says
        else ""
    )
