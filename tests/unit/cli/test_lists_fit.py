"""Lists on a terminal of 80 columns: wrapped at words, below what they continue; elsewhere a row is one line."""

from __future__ import annotations

import argparse
import os

import pytest

from sandboxd import terminal
from sandboxd.cli.commands import prune, rules, trust
from sandboxd.policy.trust import Grant

ROW = {
    "state": "work",
    "is_freed": False,
    "size": 30720,
    "kind": "copy",
    "name": "sandboxd-copy-weather-sleeper-bfb30439-agent",
    "about": "of /home/ann/weather --name sleeper",
}
PRUNED = """\
work      30.0 KiB  copy      sandboxd-copy-weather-sleeper-bfb30439-agent  of
                              /home/ann/weather --name sleeper
"""


def use_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have stdout be a terminal of 80 columns without colours."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(terminal.sys.stdout, "isatty", lambda: True)


def widest(text: str) -> int:
    return max(map(len, text.splitlines()))


def test_prune_goes_on_below_the_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_a_terminal(monkeypatch)
    prune._print(ROW)
    assert capsys.readouterr().out == PRUNED


def test_for_other_programs_a_row_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    prune._print(ROW)
    first, second = PRUNED.splitlines()
    assert capsys.readouterr().out == f"{first} {second.strip()}\n"


def test_rules_fit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    use_a_terminal(monkeypatch)
    rules.run(argparse.Namespace(format="text"))
    assert widest(capsys.readouterr().out) <= 80


def test_grants_fit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    use_a_terminal(monkeypatch)
    project = f"{os.environ['HOME']}/a-project"
    trust._list((Grant(project, "0" * 64, "agent"),))
    gone = capsys.readouterr().out
    assert " ".join(gone.split()) == (
        f"{project}: profile agent: void: the file changed or is gone"
    )
    monkeypatch.setattr(trust, "_given", lambda *_: ["credential: openai: api.openai.com " * 5])
    monkeypatch.setattr("sandboxd.policy.trust.digest", lambda _path: "0" * 64)
    trust._list((Grant(project, "0" * 64, "agent"),))
    given = capsys.readouterr().out.splitlines()
    assert len(given) > 3 and max(map(len, given[-3:])) <= 80
    assert [len(line) - len(line.lstrip()) for line in given[-3:]] == [2, 4, 4]
