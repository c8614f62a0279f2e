"""The limits of each profile; none where the profile has none."""

from __future__ import annotations

import pytest

from sandboxd.plan.grants import Grants
from tests.unit.plan.examples import GVISOR, plan


@pytest.mark.parametrize("profile", ["trusted", "dev", "agent", "untrusted", "review"])
def test_only_the_trusted_profile_has_no_limit_of_memory(profile: str) -> None:
    grants = Grants(allow_runc=True, trusted=True)
    the_plan = plan(f'profile = "{profile}"', GVISOR, grants=grants)
    assert (the_plan.container.memory is None) == (profile == "trusted")
