"""`sandboxd explain-plan` answers in one screen of 80 columns, however much there is to say."""

from __future__ import annotations

import itertools

import pytest

from sandboxd.cli.tree_sizes import Size
from sandboxd.config.values import profile_names
from sandboxd.plan.plan import Plan
from sandboxd.plan.reasons import Downgrade, LeftOut, Reason
from sandboxd.render.screens import plan as plan_screen
from sandboxd.render.screens import plan_in_short
from tests.unit.plan.examples import HOSTS, PLAIN, RUNC_GRANTED, plan

COLUMNS = 80
WEATHER = """\
/home/dev/weather: profile dev · 4 not in force

user          1000:1000                                              host
mounts        /workspaces/weather (read-write), 4 more               profile dev
memory        8g                                                     profile dev
cpus          1.8                                                    profile dev
log_options   max-size=10m                                           profile dev
log_driver    json-file                                              profile dev
pids_limit    4096                                                   profile dev
image         img:1                                                  config
runtime       runc                                                   host
cap_drop      ALL                                                    profile dev
cap_add       CHOWN, DAC_OVERRIDE, FOWNER, SETGID, SETUID            profile dev
security_opt  no-new-privileges, seccomp dev-runc.json               profile dev
network       sandboxd-weather-311f553f                              profile dev
working_dir   /workspaces/weather                                    profile dev

not in force:
  - gVisor: no gVisor runtime is registered with the engine: the sandbox …
  - control files: `.vscode`, or any other such file that is missing, can be …
  - git on the host: a program inside can make a repository of its own in any …
  - AppArmor: this engine does not offer it

`sandboxd explain-plan --all` says why of each line, and what mends what is not
in force
"""


def shown(the_plan: Plan, slow: tuple[Size, ...] = ()) -> list[str]:
    lines = plan_in_short.lines(the_plan, slow, COLUMNS)
    for line in lines:
        assert len(line) <= COLUMNS and line.isprintable(), line
    assert len(lines) <= plan_in_short.MOST_LINES
    return lines


def test_each_field_is_a_line_with_what_decided_it() -> None:
    assert "\n".join(shown(plan('profile = "dev"', PLAIN))) + "\n" == WEATHER


@pytest.mark.parametrize(("profile", "host"), list(itertools.product(profile_names(), HOSTS)))
def test_every_profile_on_every_host_has_room(profile: str, host: str) -> None:
    the_plan = plan(f'profile = "{profile}"', HOSTS[host], grants=RUNC_GRANTED)
    lines = shown(the_plan)
    fields = {reason.field for reason in the_plan.reasons}
    assert {line.split(" ")[0] for line in lines} >= fields
    for downgrade in the_plan.downgrades[:5]:
        assert any(line.startswith(f"  - {downgrade.control}: ") for line in lines)


def test_a_long_name_of_a_field_stands_apart_from_its_value() -> None:
    the_plan = plan('profile = "untrusted"', HOSTS["debian-13-gvisor-2026"])
    whole = plan_screen.lines(the_plan, COLUMNS)
    assert all(
        any("read_only_rootfs  true" in each for each in lines)
        for lines in (whole, shown(the_plan))
    )


def test_what_has_no_room_is_counted() -> None:
    hostile = "\x1b[2J" + "word " * 40
    names = [f"FIELD_{number}" for number in range(60)]
    the_plan = plan('profile = "dev"', PLAIN)._replace(
        reasons=tuple(Reason(name, hostile, hostile, hostile) for name in names),
        downgrades=tuple(Downgrade(name, hostile) for name in names),
        hooks_refused=tuple(LeftOut(name, hostile) for name in names),
        left_out=tuple(LeftOut(name, hostile) for name in names),
    )
    slow = tuple(Size(name, 10_000, 1, 1, True) for name in names)
    lines = shown(the_plan, slow)
    assert "  and 55 more" in lines and lines.count("  and 58 more") == 3
    assert sum("more fields" in line for line in lines) == 1
    assert "explain-plan --all" in " ".join(lines[-2:])
