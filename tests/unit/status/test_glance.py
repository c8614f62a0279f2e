"""What a prompt shows of a project: the first of several things that are wrong."""

from __future__ import annotations

import pytest

from sandboxd.model.container import Container, Pair
from sandboxd.model.labels import EGRESS
from sandboxd.model.values import Origin, Value
from sandboxd.observe.controls import Control
from sandboxd.status.combine import Sandbox, _lacks_gateway
from sandboxd.status.glance import glance
from sandboxd.status.model import ProjectStatus

NO_GRANT = {"trust": "none", "problem": "the profile takes the seccomp list away"}


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("missing", "missing"),
        ("invalid config", "invalid-config"),
        ("not created", "needs-grant"),
        ("running", "needs-grant"),
    ],
)
def test_a_config_that_cannot_be_read_comes_before_a_grant_that_is_missing(
    state: str, word: str
) -> None:
    assert glance(ProjectStatus("/p", state, **NO_GRANT)).word == word  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("label", "state", "lacks"),
    [("app", "not in force", True), ("app", "in force", False), ("", "not in force", False)],
)
def test_only_a_sandbox_that_is_to_have_a_gateway_lacks_one(
    label: str, state: str, lacks: bool
) -> None:
    labels = (Value(Pair(EGRESS, label), Origin("engine", "x")),) if label else ()
    controls = (Control("network", state, "why"),)  # type: ignore[arg-type]
    assert _lacks_gateway(Sandbox(True, Container("c", None, labels=labels), controls)) is lacks
