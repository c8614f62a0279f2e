"""The hint where another sandbox can write what would be mounted."""

from __future__ import annotations

import pytest

from sandboxd.engine.client import Summary
from sandboxd.life import overlaps
from sandboxd.model.labels import MADE_BY, PROJECT, UP

AGAIN = (
    "; where that fails with `can not be killed`, do it again: a paused gVisor has ended by then"
)


@pytest.mark.parametrize("project", ["/w", "/w/inner"])
@pytest.mark.parametrize(("state", "more"), [("running", ""), ("paused", AGAIN)])
def test_an_editors_sandbox_is_stopped_by_hand(project: str, state: str, more: str) -> None:
    editors = Summary("c1", "dreamy_turing", "image", state, {PROJECT: project}, 0)
    hint = overlaps._refusal(editors, "/w", "/w").hint
    assert hint.endswith(f": `docker stop dreamy_turing`{more}")


def test_one_of_up_is_ended_by_its_own_command() -> None:
    ours = Summary("c1", "ours", "image", "paused", {PROJECT: "/w/inner//a", MADE_BY: UP}, 0)
    assert overlaps._refusal(ours, "/w", "/w").hint == (
        "end it first: `sandboxd down --project /w/inner --name a`"
    )
