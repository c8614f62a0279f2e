"""From where runsc is installed: what was asked for, else what is there."""

from __future__ import annotations

import pytest

from sandboxd.errors import UsageError
from sandboxd.setup import gvisor, packages
from sandboxd.setup.gvisor import Options, choose_source


@pytest.mark.parametrize("source", ["repository", "distribution"])
def test_what_is_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setattr(packages, "find_runsc", lambda: None)
    assert choose_source(Options(source=source)).source == source


@pytest.mark.parametrize(("there", "source"), [("/usr/bin/runsc", "present"), (None, "repository")])
def test_else_what_is_there(
    monkeypatch: pytest.MonkeyPatch, there: str | None, source: str
) -> None:
    monkeypatch.setattr(packages, "find_runsc", lambda: there)
    assert choose_source(Options()).source == source


def test_what_is_not_there_cannot_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_runsc", lambda: None)
    with pytest.raises(UsageError, match="runsc is not installed"):
        choose_source(Options(source="present"))
    with pytest.raises(UsageError, match="there is no source `elsewhere`"):
        choose_source(Options(source="elsewhere"))
    assert set(gvisor.SOURCES) == {"present", "repository", "distribution", "binary"}
