"""A virtual machine of Colima or Lima is known by its engine's kind, its context or its socket."""

from __future__ import annotations

import pytest

from sandboxd.host.facts import Engine, HostFacts
from sandboxd.host.platforms import colima


@pytest.mark.parametrize(
    ("engine", "is_one"),
    [
        (Engine("unix:///x", kind="colima"), True),
        (Engine("unix:///x", kind="lima"), True),
        (Engine("unix:///x", context="colima-work"), True),
        (Engine("unix:///x", context="lima-docker"), True),
        (Engine("unix:///Users/a/.colima/default/docker.sock"), True),
        (Engine("unix:///Users/a/.lima/docker/sock/docker.sock"), True),
        (Engine("unix:///x", context="my-colima"), False),
        (Engine("unix:///Users/a/colima/docker.sock"), False),
        (None, False),
    ],
)
def test_which_engines_are_theirs(engine: Engine | None, is_one: bool) -> None:
    assert colima.matches(HostFacts("Darwin", engine=engine)) is is_one
