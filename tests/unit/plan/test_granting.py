"""What a user is asked before a project takes controls away names each of them."""

from __future__ import annotations

import pytest

from sandboxd.config.model import Config
from sandboxd.errors import UsageError
from sandboxd.plan import profiles
from sandboxd.plan.granting import Wanted, wanted
from sandboxd.plan.recipe import Recipe
from sandboxd.plan.recipe_files import Part
from sandboxd.policy import trust
from sandboxd.policy.floor import NO_FLOOR, Floor
from tests.unit.plan.examples import WORKSPACE, configured

FEATURES = (("./tool", {}),)
READ = (Part("setup.sh", 0o644, b"12345"),)
RECIPE = Recipe(
    "local/it:1", "f" * 64, "debian:12", "", "", "", (), FEATURES, ".devcontainer", READ
)


def asked(config: Config, recipe: Recipe | None, floor: Floor) -> Wanted:
    return wanted(WORKSPACE, config, profiles.load(config.profile.value), recipe, floor)


def lines(text: str) -> tuple[str, ...]:
    return asked(configured(f'image = "img:1"\n{text}'), None, NO_FLOOR).lines


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('runtime = "runc"', "runtime: gVisor where it works -> runc, which shares the host's kernel"),
        ('[capabilities]\nadd = ["SYS_PTRACE"]', "capabilities: beside the profile's own, SYS_PTRACE"),
        ('[workspace]\nshared_volumes = ["cache"]', "volume: `cache` is shared with every project that names it"),
        ('[workspace]\nfolders = ["../lib"]', "folder: `/home/dev/lib` can be read inside, with all that is in it"),
        ('profile = "agent"\n[workspace]\nlayout = "bind"', "workspace: layout bind"),
        ('profile = "trusted"', "no new privileges: true -> false"),
    ],
)  # fmt: skip
def test_each_control_that_goes_is_a_line(text: str, line: str) -> None:
    assert line in lines(text)


def test_what_only_tightens_needs_no_grant() -> None:
    assert asked(configured('image = "img:1"'), None, NO_FLOOR) == ((), ())


def test_a_build_is_a_grant_of_its_own_and_names_what_it_reads() -> None:
    config = configured('image = "img:1"\nruntime = "runc"')
    both = asked(config, RECIPE, NO_FLOOR)
    assert [(grant.digest, grant.profile) for grant in both.grants] == [
        (config.digest, "dev"),
        (RECIPE.digest, trust.BUILD),
    ]
    assert both.lines[-3:] == (
        "build: the Feature `./tool`, by the engine's builder",
        "on: the image `debian:12`",
        "reads: `setup.sh`, 5 bytes",
    )


def test_a_policy_may_forbid_to_ask() -> None:
    floor = NO_FLOOR._replace(no_trust=True)
    with pytest.raises(UsageError, match="the policy forbids grants"):
        asked(configured('profile = "trusted"'), None, floor)


def test_without_a_config_there_is_nothing_to_trust() -> None:
    config = configured()._replace(path=None)
    with pytest.raises(UsageError, match=r"no sandboxd\.toml to trust"):
        asked(config, None, NO_FLOOR)
    assert asked(config, RECIPE, NO_FLOOR).grants[0].profile == trust.BUILD
