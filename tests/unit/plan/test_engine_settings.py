"""What the settings of an engine change in a plan: mapped users, and a filter of its own that is none."""

from __future__ import annotations

import pytest

from sandboxd.render.screens.doctor import brief, render
from tests.unit.plan.examples import GVISOR, RUNC, RUNC_GRANTED, controls, only, plan, workspace


def test_an_engine_whose_own_filter_is_none_is_named_where_that_one_counts() -> None:
    engine = only(RUNC).engine
    assert engine is not None
    unfiltered = only(RUNC)._replace(
        engine=engine._replace(security_options=("name=seccomp,profile=unconfined",))
    )
    assert "seccomp" in controls(plan('profile = "trusted"', host=unfiltered, grants=RUNC_GRANTED))
    assert "seccomp" not in controls(
        plan('profile = "trusted"', host=only(RUNC), grants=RUNC_GRANTED)
    )
    assert "seccomp" not in controls(plan(host=unfiltered))
    assert "a container that names no filter has none" in render(unfiltered)
    assert "names no filter" not in render(only(RUNC))


def test_under_an_engine_that_maps_users_the_owner_is_asked_by_the_map() -> None:
    assert GVISOR.engine is not None
    host = GVISOR._replace(engine=GVISOR.engine._replace(root_outside=(200_000, 300_000)))

    def of_owner(uid: int, gid: int) -> tuple[str | None, str]:
        the_plan = plan(host=host, workspace=workspace(owner_uid=uid, owner_gid=gid))
        user = the_plan.container.user
        whys = [one.why for one in the_plan.downgrades if one.control == "workspace"]
        return user.value if user else None, "".join(whys)

    assert of_owner(201_000, 301_001) == ("1000:1001", "")
    assert of_owner(201_000, 7) == ("1000:1000", "")
    user, why = of_owner(1000, 1000)
    assert user == "1000:1000" and "no user inside is user 1000 outside" in why
    assert "only root inside is user 200000 outside" in of_owner(200_000, 300_000)[1]
    assert "no user inside is user 0 outside" in of_owner(0, 0)[1]


@pytest.mark.parametrize("rules", [False, None, True])
def test_an_engine_without_firewall_rules_is_named_where_there_is_a_network(
    rules: bool | None,
) -> None:
    assert GVISOR.engine is not None
    host = GVISOR._replace(engine=GVISOR.engine._replace(firewall_rules=rules))
    assert ("networks" in controls(plan(host=host))) is (rules is False)
    assert "networks" not in controls(plan('[network]\nmode = "none"', host=host))
    assert ("no firewall rules (`iptables: false`)" in render(host)) is (rules is False)
    short = " ".join(brief(host, 80).split())
    assert ("problem this engine makes no firewall rules" in short) is (rules is False)
    assert ("out of the engine's daemon.json and restart it" in short) is (rules is False)
