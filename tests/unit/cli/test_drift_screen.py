"""The screen of `drift`: the next step is one for the sandbox that was asked about."""

from __future__ import annotations

import pytest

from sandboxd.backends.backend import Comparison
from sandboxd.cli.commands.drift import _print
from sandboxd.observe.drift import Drift


def test_the_next_step_names_the_sandbox(capsys: pytest.CaptureFixture[str]) -> None:
    differences = (Drift("memory", "2g", "8g"),)
    _print(Comparison("/w#b", "app-b", differences, ()), everything=False, option=" --name b")
    assert "`sandboxd up --name b` makes the sandbox as planned" in capsys.readouterr().err
