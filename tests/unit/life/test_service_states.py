"""What the engine says of a service, in words."""

from __future__ import annotations

import pytest

from sandboxd.backends.docker.compare import _end
from sandboxd.life.services_look import _state


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"Running": True}, "runs"),
        ({"Running": True, "Health": None}, "runs"),
        ({"Running": True, "Health": {"Status": "none"}}, "runs"),
        ({"Running": True, "Health": {"Status": ""}}, "runs"),
        ({"Running": True, "Health": {"Status": "starting"}}, "is starting"),
        ({"Running": False, "Health": {"Status": "healthy"}}, "has ended"),
    ],
)
def test_a_service_without_a_health_check_runs(state: dict[str, object], words: str) -> None:
    assert _state({"State": state}) == words


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"Running": True, "Status": "running"}, ""),
        ({"Status": "exited", "ExitCode": 0}, ""),
        ({"Status": "exited", "ExitCode": 3}, "exited (3)"),
        ({"Status": "created", "ExitCode": 0}, "created (0)"),
        ({"Status": "dead", "ExitCode": 137}, "dead (137)"),
    ],
)
def test_a_service_that_ended_well_is_no_drift(state: dict[str, object], words: str) -> None:
    assert _end({"State": state}) == words
