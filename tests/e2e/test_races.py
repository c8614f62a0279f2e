"""What is exchanged between a look and a mount, and what the host replaces under a pin."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine, Exec
from sandboxd.engine.execute import run_quietly
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.halt.words import Halted
from sandboxd.host.facts import HostFacts
from sandboxd.life import overlaps, up_down
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]


def quiet(_: str) -> None:
    """Nothing is shown."""


@pytest.fixture
def outer(tmp_path: Path, busybox_image: str, runtime: str) -> Path:
    return sandboxes.make_project(tmp_path / "outer", busybox_image, runtime)


@pytest.fixture
def inner(outer: Path, busybox_image: str, runtime: str) -> Path:
    return sandboxes.make_project(outer / "packages/inner", busybox_image, runtime)


@pytest.mark.parametrize("first", ["outer", "inner"])
def test_no_sandbox_starts_where_another_one_writes(
    api: Engine, outer: Path, inner: Path, host_facts: HostFacts, first: str
) -> None:
    one, other = (outer, inner) if first == "outer" else (inner, outer)
    sandboxes.up(api, sandboxes.plan_of(one, host_facts), quiet)
    try:
        before = sandboxes.tree(other)
        with pytest.raises(EnvironmentFailure, match="could exchange what is mounted") as caught:
            sandboxes.up(api, sandboxes.plan_of(other, host_facts), quiet)
        assert caught.value.hint == f"end it first: `sandboxd down --project {one}`"
        assert sandboxes.tree(other) == before
        # The one that runs is not in its own way.
        again = sandboxes.up(api, sandboxes.plan_of(one, host_facts), quiet)
        assert again.how == "already running"
    finally:
        up_down.down(api, str(one), quiet)
    assert sandboxes.up(api, sandboxes.plan_of(other, host_facts), quiet).how == "created"
    up_down.down(api, str(other), quiet)


def test_a_sandbox_that_cannot_write_is_in_nobodys_way(
    api: Engine, outer: Path, inner: Path, host_facts: HostFacts
) -> None:
    text = (outer / "sandboxd.toml").read_text()
    (outer / "sandboxd.toml").write_text(text + '[workspace]\nlayout = "clone"\n')
    sandboxes.grant(outer)
    sandboxes.up(api, sandboxes.plan_of(outer, host_facts), quiet)
    try:
        sandboxes.up(api, sandboxes.plan_of(inner, host_facts), quiet)
        up_down.down(api, str(inner), quiet)
    finally:
        up_down.down(api, str(outer), quiet, discard=True)


@pytest.mark.parametrize("runtime", ["runc"])
@pytest.mark.parametrize("path", ["sandboxd.toml", ".vscode"])
def test_an_exchange_is_seen_before_anything_runs(
    api: Engine,
    outer: Path,
    host_facts: HostFacts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    """The race, won each time: the exchange happens between our look and the engine's mount."""
    secret = tmp_path / "secret"
    if path == ".vscode":
        secret.mkdir()
    else:
        secret.write_text("root:x")
    real = Engine.start

    def exchanged(engine: Engine, container: str) -> None:
        (outer / path).rename(outer / "aside")
        (outer / path).symlink_to(secret)
        try:
            real(engine, container)
        finally:
            (outer / path).unlink()
            (outer / "aside").rename(outer / path)

    monkeypatch.setattr(Engine, "start", exchanged)
    with pytest.raises(EnvironmentFailure, match="was exchanged while it was mounted"):
        sandboxes.up(api, sandboxes.plan_of(outer, host_facts)._replace(egress=None), quiet)
    assert api.containers(f"dev.sandboxd.project={outer}") == []


@pytest.mark.parametrize("runtime", ["runc"])
def test_a_link_that_came_after_the_plan_is_refused(
    api: Engine, outer: Path, host_facts: HostFacts
) -> None:
    plan = sandboxes.plan_of(outer, host_facts)
    (outer / ".vscode").rename(outer / "v")
    (outer / ".vscode").symlink_to("v")
    with pytest.raises(UsageError, match="or a link is there"):
        sandboxes.up(api, plan, quiet)
    assert api.containers(f"dev.sandboxd.project={outer}") == []


def test_a_pin_that_the_host_took_away_comes_back(
    api: Engine, outer: Path, host_facts: HostFacts
) -> None:
    """`sed -i` on the host puts a new file in place: then no container has a mount there, until it is made anew."""
    envrc = outer / ".envrc"
    envrc.write_text("host")
    os.chown(envrc, 1000, 1000)
    plan = sandboxes.plan_of(outer, host_facts)
    first = sandboxes.up(api, plan, quiet)
    try:
        (outer / "new").write_text("new\n")
        os.chown(outer / "new", 1000, 1000)
        (outer / "new").rename(envrc)
        run_quietly(api, first.id, Exec(["sh", "-c", "echo evil >> .envrc"]))
        assert "evil" in envrc.read_text(), "the kernel keeps the pin: this test is not needed"
        with pytest.raises(
            Halted, match=r"`\.envrc` was replaced, which took the mount away; nobody watched"
        ):
            sandboxes.up(api, plan, quiet)
        assert api.inspect(first.id)["State"]["Paused"]
        second = sandboxes.up(api, sandboxes.plan_of(outer, host_facts), quiet, replace="container")
        assert second.how == "recreated"
        run_quietly(api, second.id, Exec(["sh", "-c", "echo worse >> .envrc"]))
        assert "worse" not in envrc.read_text()
    finally:
        up_down.down(api, str(outer), quiet)


def test_only_a_writable_folder_overlaps() -> None:
    inspected = {
        "HostConfig": {
            "Binds": ["/a:/x", "/b:/x:ro", "volume:/y", "/c:/x:rw,z"],
            "Mounts": [
                {"Type": "bind", "Source": "/d"},
                {"Type": "bind", "Source": "/e", "ReadOnly": True},
                {"Type": "volume", "Source": "v"},
            ],
        },
        "Mounts": [{"Type": "bind", "Source": "/f", "RW": True}, {"Type": "bind", "Source": "/g"}],
    }
    assert list(overlaps.writable_folders(inspected)) == ["/a", "/c", "/d", "/f"]
