"""The end of a halted sandbox at the user's word."""

from __future__ import annotations

import os

import pytest

from sandboxd.engine.client import Summary
from sandboxd.halt import record
from sandboxd.life import halts
from tests.unit.halt.test_entries import HALT, facts

pytestmark = pytest.mark.usefixtures("own_home")


def end(container: str) -> list[str]:
    """End the sandbox in a container; the kinds of what the audit record has then."""
    summary = Summary(container, "a", "image", "paused", {}, 0)
    assert halts.end(summary, HALT.sandbox) == ""
    return [kind for kind, _, _ in facts(dict(os.environ))]


@pytest.mark.parametrize("is_told", [False, True])
def test_a_halt_is_told_before_its_end(is_told: bool) -> None:
    """Its owner tells it a moment later, when all that belongs to it has happened."""
    record.save(os.environ, HALT._replace(is_told=is_told))
    assert end(HALT.container) == [*([] if is_told else ["halt"]), "halt-ended"]
    ended = record.load(os.environ, HALT.sandbox)
    assert ended is not None and ended.is_told and ended.ended is record.Ended.REMADE


def test_the_end_of_another_container_ends_no_halt() -> None:
    record.save(os.environ, HALT)
    assert end("c2") == []
    assert record.load(os.environ, HALT.sandbox) == HALT
