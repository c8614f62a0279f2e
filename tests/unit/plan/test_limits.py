"""The limits of each profile; none where the profile has none."""

from __future__ import annotations

import pytest

from sandboxd.plan.grants import Grants
from tests.unit.plan.examples import GVISOR, RUNC, only, plan


@pytest.mark.parametrize("profile", ["trusted", "dev", "agent", "untrusted", "review"])
def test_only_the_trusted_profile_has_no_limit_of_memory(profile: str) -> None:
    grants = Grants(allow_runc=True, trusted=True)
    the_plan = plan(f'profile = "{profile}"', GVISOR, grants=grants)
    assert (the_plan.container.memory is None) == (profile == "trusted")


def test_limits_that_the_engine_cannot_enforce_are_named_and_not_asked_for() -> None:
    host = only(RUNC, memory_limit=False, pids_limit=False, processors=2)
    the_plan = plan('runtime = "runc"', host, grants=Grants(trusted=True))
    assert (the_plan.container.memory, the_plan.container.pids_limit) == (None, None)
    lost = {each.control: each.fix for each in the_plan.downgrades}
    assert "`memory` controller" in lost["memory limit"]
    assert "`pids` controller" in lost["process limit"]
    able = only(RUNC, memory_limit=True, pids_limit=None, processors=2)
    the_plan = plan('runtime = "runc"', able, grants=Grants(trusted=True))
    assert the_plan.container.memory is not None
    assert the_plan.container.pids_limit is not None
