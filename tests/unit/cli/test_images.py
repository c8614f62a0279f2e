"""Who is asked whether a missing image shall be got, and what the answer does."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from sandboxd.cli import images
from sandboxd.engine.failures import image_missing
from sandboxd.errors import EnvironmentFailure, SandboxdError
from sandboxd.operations.start_options import StartOptions

OPTIONS = StartOptions(name="login")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Starts:
    """The starts that were tried; those without the images fail."""

    def __init__(self, failure: SandboxdError) -> None:
        self.failure = failure
        self.tried: list[StartOptions] = []

    def operate(self, _name: str, _folder: str, options: StartOptions, *_: Any, **__: Any) -> str:
        self.tried.append(options)
        if not options.pull:
            raise self.failure
        return "started"


def start(
    monkeypatch: pytest.MonkeyPatch, starts: Starts, answer: str, stderr: io.StringIO
) -> str | SandboxdError:
    monkeypatch.setattr(images, "operate", starts.operate)
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    monkeypatch.setattr(sys, "stderr", stderr)
    try:
        return str(images.start_with_images("start", "/w", OPTIONS, starts_daemon=False))
    except SandboxdError as error:
        return error


def test_who_agrees_has_it_started_with_the_images(monkeypatch: pytest.MonkeyPatch) -> None:
    starts, shown = Starts(image_missing("shop:1")), Terminal()
    assert start(monkeypatch, starts, "y\n", shown) == "started"
    assert starts.tried == [OPTIONS, OPTIONS.changed(pull=True)]
    assert "no image `shop:1`" in shown.getvalue()
    assert "get it from its registry? [y/N] " in shown.getvalue()


@pytest.mark.parametrize("answer", ["\n", "", "n\n", "yes please\n"])
def test_no_other_answer_gets_anything(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    starts = Starts(image_missing("shop:1"))
    assert start(monkeypatch, starts, answer, Terminal()) is starts.failure
    assert starts.tried == [OPTIONS]


def test_where_no_person_sees_the_question_none_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    starts, unseen = Starts(image_missing("shop:1")), io.StringIO()
    assert start(monkeypatch, starts, "y\n", unseen) is starts.failure
    assert starts.tried == [OPTIONS]
    assert unseen.getvalue() == ""


def test_no_other_failure_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    starts, shown = Starts(EnvironmentFailure("the disk is full")), Terminal()
    assert start(monkeypatch, starts, "y\n", shown) is starts.failure
    assert "registry" not in shown.getvalue()


def test_a_registry_that_lacks_it_too_asks_no_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = image_missing("shop:1")

    def operate(*_: Any, **__: Any) -> str:
        raise failure

    starts, shown = Starts(failure), Terminal()
    monkeypatch.setattr(starts, "operate", operate)
    assert start(monkeypatch, starts, "y\ny\n", shown) is failure
    assert shown.getvalue().count("[y/N]") == 1
