"""Grants: for one content of one file, kept where no sandbox can write."""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.policy import trust
from sandboxd.policy.trust import Grant
from tests.patience import PATIENCE


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "w/sandboxd.toml"
    path.parent.mkdir()
    path.write_text('profile = "trusted"\n')
    return path


def granted(environ: dict[str, str], config: Path, profile: str = "trusted") -> bool:
    return trust.is_granted(environ, str(config.parent), trust.digest(str(config)), profile)


def test_a_grant_is_for_this_content_only(environ: dict[str, str], config: Path) -> None:
    assert not granted(environ, config)
    trust.add(environ, Grant(str(config.parent), trust.digest(str(config)), "trusted"))
    assert granted(environ, config) and not granted(environ, config, "other")
    assert Path(trust._path(environ)).stat().st_mode & 0o777 == 0o600
    before = config.read_text()
    config.write_text(before + "# changed\n")
    assert not granted(environ, config)
    config.write_text(before)
    assert granted(environ, config)
    assert trust.revoke(environ, str(config.parent))
    assert not trust.revoke(environ, str(config.parent))
    assert not granted(environ, config)


def test_no_grant_without_a_file(environ: dict[str, str], config: Path) -> None:
    trust.add(environ, Grant(str(config.parent), "", "trusted"))
    assert not trust.is_granted(environ, str(config.parent), "", "trusted")


def test_the_workspace_cannot_hold_its_own_grant(config: Path) -> None:
    inside = {"XDG_CONFIG_HOME": str(config.parent / ".config")}
    grant = Grant(str(config.parent), trust.digest(str(config)), "trusted")
    with pytest.raises(UsageError, match="within the workspace itself"):
        trust.add(inside, grant)
    path = Path(trust._path(inside))
    path.parent.mkdir(parents=True)
    path.write_text(
        f"[[grants]]\nworkspace = '{grant.workspace}'\nsha256 = '{grant.digest}'\nprofile = 'trusted'\n"
    )
    path.chmod(0o600)
    assert trust.grants(inside) == (grant,)
    assert not granted(inside, config)


def test_grants_that_another_user_wrote_are_none(
    environ: dict[str, str], config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust.add(environ, Grant(str(config.parent), trust.digest(str(config)), "trusted"))
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(UsageError, match="written by others"):
        granted(environ, config)


def test_a_config_folder_beside_the_workspace_is_outside_of_it(config: Path) -> None:
    """`/p/w-config` begins with `/p/w`, and lies beside it all the same."""
    beside = {"XDG_CONFIG_HOME": f"{config.parent}-config"}
    trust.add(beside, Grant(str(config.parent), trust.digest(str(config)), "trusted"))
    assert granted(beside, config)


def test_the_file_is_text_for_a_person(environ: dict[str, str], config: Path) -> None:
    trust.add(environ, Grant(str(config.parent), "12ab", 'odd "name"'))
    assert (
        Path(trust._path(environ)).read_text()
        == f"""\
# What this user trusts: one content of one project's sandboxd.toml, or of its build.
# `sandboxd trust add` and `sandboxd trust revoke` write this file anew.

[[grants]]
workspace = "{config.parent}"
sha256 = "12ab"
profile = "odd \\"name\\""
"""
    )


def test_a_folder_whose_name_toml_cannot_hold_is_refused_in_words(
    environ: dict[str, str], config: Path
) -> None:
    trust.add(environ, Grant("/before", "12ab", "trusted"))
    with pytest.raises(UsageError, match="not UTF-8"):
        trust.add(environ, Grant("/home/\udcff", "12ab", "trusted"))
    assert [grant.workspace for grant in trust.grants(environ)] == ["/before"]


def test_grants_of_an_older_version_count_for_nothing_and_are_named_once(
    environ: dict[str, str], config: Path
) -> None:
    old = Path(trust._path(environ)).with_name("trust.json")
    old.parent.mkdir(parents=True)
    grant = Grant(str(config.parent), trust.digest(str(config)), "trusted")
    old.write_text(json.dumps({"grants": [{"workspace": grant.workspace, "sha256": grant.digest}]}))
    assert trust.grants(environ) == ()
    assert trust.old_file(environ) == str(old)
    trust.add(environ, grant)
    assert trust.old_file(environ) == ""


@pytest.mark.parametrize(
    "text", ["", "[]", "grants = [{}]", "grants = 3", '{"grants": [{}]}', "a = '\udcff'"]
)
def test_a_broken_list_is_an_error_not_an_empty_one(environ: dict[str, str], text: str) -> None:
    path = Path(trust._path(environ))
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    path.chmod(0o600)
    with pytest.raises(UsageError, match=r"not a list of grants|is not UTF-8 text"):
        trust.grants(environ)
    path.chmod(0o666)
    with pytest.raises(UsageError, match="written by others"):
        trust.grants(environ)


def test_a_grant_is_for_what_was_read_not_for_what_is_there_now(
    environ: dict[str, str], config: Path
) -> None:
    from sandboxd.project import Project
    from tests.unit.plan.examples import PLAIN

    harmless = 'profile = "trusted"\nimage = "img:1"\n'
    config.write_text(harmless)
    trust.add(environ, Grant(str(config.parent), trust.digest(str(config)), "trusted"))
    config.write_text('profile = "trusted"\nimage = "img:1"\n[capabilities]\nadd = ["SYS_ADMIN"]\n')
    project = Project.open(str(config.parent), environ)
    config.write_text(harmless)
    with pytest.raises(UsageError, match="trust"):
        project.plan(PLAIN)
    assert Project.open(str(config.parent), environ).plan(PLAIN).profile == "trusted"


def at_once(*calls: Callable[[], object]) -> None:
    """Make all calls at the same time, and wait for them."""
    barrier = threading.Barrier(len(calls))

    def make(call: Callable[[], object]) -> object:
        barrier.wait(PATIENCE)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(make, call) for call in calls]:
            done.result(PATIENCE)


def test_of_grants_that_are_given_at_once_none_is_lost(environ: dict[str, str]) -> None:
    grants = [Grant(f"/home/dev/{number}", "12ab", "trusted") for number in range(8)]
    at_once(*(functools.partial(trust.add, environ, grant) for grant in grants))
    assert sorted(trust.grants(environ)) == grants


def test_what_is_revoked_while_another_grant_is_given_stays_revoked(
    environ: dict[str, str],
) -> None:
    revoked = [Grant(f"/home/dev/{number}", "12ab", "trusted") for number in range(4)]
    given = [grant._replace(workspace=f"{grant.workspace}-other") for grant in revoked]
    for grant in revoked:
        trust.add(environ, grant)
    at_once(
        *(functools.partial(trust.revoke, environ, grant.workspace) for grant in revoked),
        *(functools.partial(trust.add, environ, grant) for grant in given),
    )
    assert sorted(trust.grants(environ)) == given


def test_without_a_place_for_the_lock_nothing_is_granted(environ: dict[str, str]) -> None:
    Path(environ["XDG_CONFIG_HOME"]).write_text("no folder")
    with pytest.raises(EnvironmentFailure, match="cannot lock"):
        trust.add(environ, Grant("/home/dev/one", "12ab", "trusted"))
