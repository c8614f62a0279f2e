"""Limits that a sandboxd.toml sets: below those of the profile by itself, above them by a grant, never above a policy."""

from __future__ import annotations

import pytest

from sandboxd.errors import UsageError
from sandboxd.plan import chosen_limits, profiles
from sandboxd.plan.grants import Grants
from sandboxd.policy.floor import Demand, combine
from tests.unit.plan.examples import GVISOR, PLAIN, configured, plan

TRUSTED = Grants(trusted=True)


def test_a_smaller_limit_needs_no_grant_and_says_who_decided_it() -> None:
    made = plan('[limits]\nmemory = "2g"\nprocesses = 256\ncpus = "50%"\n', PLAIN)
    limits = (made.container.memory, made.container.pids_limit)
    assert [each.value for each in limits if each is not None] == ["2g", 256]
    decided = {reason.field: reason.decided_by for reason in made.reasons}
    assert (decided["memory"], decided["pids_limit"], decided["cpus"]) == ("config",) * 3
    assert made.container.memory is not None
    assert made.container.memory.place is not None


def test_the_profile_says_what_the_file_does_not() -> None:
    made = plan('[limits]\nmemory = "2g"\n', PLAIN)
    assert {r.decided_by for r in made.reasons if r.field == "pids_limit"} == {"profile dev"}


def test_a_larger_limit_counts_only_after_a_grant() -> None:
    text = '[limits]\nmemory = "12g"\nprocesses = 8192\n'
    with pytest.raises(UsageError, match="memory 12g in place of 8g, processes 8192") as caught:
        plan(text, PLAIN)
    assert "sandboxd trust add" in caught.value.hint
    made = plan(text, PLAIN, grants=TRUSTED)
    assert made.container.memory is not None
    assert made.container.memory.value == "12g"


def test_gvisor_gets_its_limit_of_processes_in_its_own_form() -> None:
    made = plan("[limits]\nprocesses = 100\n", GVISOR)
    assert [each.value.value for each in made.container.ulimits] == ["100:100"]


def test_folders_in_memory_get_their_size() -> None:
    made = plan('profile = "untrusted"\n[limits]\ntmp = "64m"\ntime = "10m"\n', GVISOR)
    tmp = next(v for v in made.container.mounts if v.value.target == "/tmp")
    assert "size=64m" in tmp.value.options
    assert made.time_limit == 600
    assert made.rooms.tmp == "64m"
    assert {r.decided_by for r in made.reasons if r.item.startswith("/tmp")} == {"config"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[limits]\ntmp = "64m"\n', "`limits.tmp` would do nothing: profile `dev` has no such"),
        ('[limits]\ntime = "1h"\n', "`limits.time` would do nothing"),
        ('profile = "agent"\n[limits]\nhot = "1g"\n', "keeps no folder of the workspace in memory"),
        ('[limits]\ncopy = "1g"\n', "profile `dev` works on the folder itself"),
    ],
)
def test_a_limit_of_what_the_sandbox_does_not_have_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        plan(text, GVISOR, grants=TRUSTED)


def test_a_copy_has_its_size_on_a_cluster_and_in_memory() -> None:
    made = plan('[workspace]\nlayout = "clone"\n[limits]\ncopy = "1g"\n', PLAIN)
    assert made.rooms.copy == "1g"


def test_a_policy_is_a_maximum_for_profiles_and_projects() -> None:
    most = combine([Demand("limits", {"memory": "4g", "tmp": "1m"}, "/etc/sandboxd/policy.toml")])
    made = plan("", PLAIN, floor=most)
    assert made.container.memory is not None
    assert made.container.memory.value == "4g"
    assert {r.decided_by for r in made.reasons if r.field == "memory"} == {"floor"}
    less = plan('[limits]\nmemory = "3g"\n', PLAIN, floor=most)
    assert less.container.memory is not None
    assert less.container.memory.value == "3g"
    with pytest.raises(UsageError, match=r"policy\.toml` allows `4g` at most"):
        plan('[limits]\nmemory = "5g"\n', PLAIN, floor=most)


def test_a_policy_limits_the_trusted_profile_too() -> None:
    most = combine([Demand("limits", {"memory": "4g"}, "/p")])
    made = plan('profile = "trusted"\n', PLAIN, floor=most, grants=TRUSTED)
    assert made.container.memory is not None
    assert made.container.memory.value == "4g"


def test_what_the_trusted_profile_does_not_limit_is_limited_without_a_grant_of_its_own() -> None:
    asked = configured('[limits]\nmemory = "900g"\n')
    assert chosen_limits.loosened(profiles.load("trusted"), asked) == ()
    assert chosen_limits.loosened(profiles.load("dev"), asked) == ("memory 900g in place of 8g",)
