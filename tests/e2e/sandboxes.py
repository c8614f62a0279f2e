"""Projects and containers for the tests on a real engine, and the ways to weaken them."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from sandboxd.backends.docker.attack import verify
from sandboxd.engine.client import Engine
from sandboxd.host.facts import HostFacts
from sandboxd.host.probe import probe
from sandboxd.life import up_down
from sandboxd.life.starting import Running
from sandboxd.plan import stubs
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.writers.engine import arguments
from sandboxd.policy import trust
from sandboxd.policy.trust import Grant
from sandboxd.project import Project
from sandboxd.verify.verdict import Verdict
from tests.forked import run_forked
from tests.patience import PATIENCE
from tests.rights import allowing

Change = Callable[[Any], None]


def make_project(
    folder: Path, image: str, runtime: str, profile: str = "dev", *, granted: bool = True
) -> Path:
    """A workspace with control files, owned by user 1000, named after nothing on the host.

    :param granted: whether to trust, in this home, a choice of less than the default; not of
        `trusted`, whose tests are about the grant
    """
    # The last two as `up` leaves them: tests that make a container by other means mount them, too.
    for name in (".devcontainer", ".vscode", ".git/hooks", ".devcontainer.json", "commondir"):
        (folder / name).mkdir(parents=True)
    (folder / ".devcontainer/devcontainer.json").write_text("{}\n")
    (folder / ".git/config").write_text("[core]\n\tbare = false\n")
    (folder / ".git/commondir").write_text(".\n")
    (folder / ".git/config.worktree").write_text("")
    (folder / "main.py").write_text("print('hello')\n")
    (folder / "sandboxd.toml").write_text(
        f'image = "{image}"\nruntime = "{runtime}"\nprofile = "{profile}"\n'
    )
    give_to_user(folder)
    if granted and (runtime == "runc" or profile == "seed-baseline"):
        grant(folder)
    return folder


def give_to_user(folder: Path) -> None:
    """Make user 1000 the owner of a workspace, of its links as well."""
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, 1000, 1000)


def open_to_user(*folders: Path) -> None:
    """Let user 1000 reach what is below `folders`: git on the host runs as who owns the workspace."""
    for folder in folders:
        for path in (folder, *folder.parents[:-2]):
            path.chmod(path.stat().st_mode | 0o011)


def up(engine: Engine, plan: Plan, say: Callable[[str], None], **more: Any) -> Running:
    """As `life.up_down.up`, with a gateway that lets through what the plan says and no more."""
    given = allowing(plan.egress) if plan.egress is not None else None
    return up_down.up(engine, plan, say, rights=given, **more)


def grant(folder: Path) -> None:
    """As `sandboxd trust add` does, in the test's own home."""
    config = Project.open(str(folder), {}).config
    trust.add(os.environ, Grant(config.workspace, config.digest, config.profile.value))


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every path below a folder with its mode and content."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() and not path.is_symlink() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


def facts_of(docker_host: str) -> HostFacts:
    """The machine with this engine, every runtime tried."""
    with tempfile.TemporaryDirectory() as cache:
        return probe(
            {"DOCKER_HOST": docker_host, "XDG_CACHE_HOME": cache, "HOME": cache}, trial=True
        )


def plan_of(folder: Path, facts: HostFacts) -> Plan:
    return Project.open(str(folder), {}).plan(facts, Grants(allow_runc=True, trusted=True))


@contextlib.contextmanager
def container(engine: Engine, plan: Plan, *changes: Change) -> Iterator[str]:
    """A running container of the plan, weakened by `changes`."""
    # As an editor starts it: the network of containers, and no gateway.
    body = arguments(plan._replace(egress=None))
    for change in changes:
        change(body)
    stub_paths = stubs.make(plan.workspace, plan.stubs)
    name = engine.create(f"sandboxd-test-{secrets.token_hex(4)}", body)
    try:
        engine.start(name)
        yield name
    finally:
        engine.remove(name)
        stubs.remove(plan.workspace, stub_paths)


@contextlib.contextmanager
def started(engine: Engine, folder: Path, facts: HostFacts) -> Iterator[str]:
    """The sandbox of a project as `up` starts it, and as `down` ends it."""
    running = up(engine, plan_of(folder, facts), lambda _: None)
    try:
        yield running.id
    finally:
        up_down.down(engine, str(folder), lambda _: None)


@contextlib.contextmanager
def without_pins(engine: Engine, folder: Path, facts: HostFacts) -> Iterator[str]:
    """The same container with nothing in the workspace read-only, and nothing put there."""
    plan = plan_of(folder, facts)._replace(stubs=())
    with container(engine, plan, without_mounts("")) as running:
        yield running


def command(docker_host: str, folder: Path, *arguments: str) -> list[str]:
    """`sandboxd ARGUMENTS` as it is typed in `folder`, by `env -C`."""
    return [
        "env",
        "-C",
        str(folder),
        f"DOCKER_HOST={docker_host}",
        sys.executable,
        "-m",
        "sandboxd",
        *arguments,
    ]


def run(
    docker_host: str, folder: Path, *arguments: str, input: str | None = None
) -> subprocess.CompletedProcess[str]:
    """`sandboxd ARGUMENTS` in `folder`, and its output."""
    environ = {**os.environ, "DOCKER_HOST": docker_host}
    return run_forked(arguments, cwd=folder, env=environ, timeout=5 * PATIENCE, input=input)


def host_config(**values: Any) -> Change:
    return lambda body: body["HostConfig"].update(values)


def as_user(user: str) -> Change:
    return lambda body: body.update(User=user)


def capability(*names: str) -> Change:
    return lambda body: body["HostConfig"]["CapAdd"].extend(names)


def without_option(name: str, instead: str = "") -> Change:
    def change(body: dict[str, Any]) -> None:
        options = [o for o in body["HostConfig"]["SecurityOpt"] if not o.startswith(name)]
        body["HostConfig"]["SecurityOpt"] = options + ([instead] if instead else [])

    return change


def bind(source: object, target: str, read_only: bool = False) -> Change:
    mount = {"Type": "bind", "Source": str(source), "Target": target, "ReadOnly": read_only}
    return lambda body: body["HostConfig"]["Mounts"].append(mount)


def without_mounts(ending: str) -> Change:
    """Drop the mounts whose target ends so; '' drops all but the workspace."""

    def change(body: dict[str, Any]) -> None:
        first, *others = body["HostConfig"]["Mounts"]
        mounts = [m for m in others if ending and not m["Target"].endswith(ending)]
        body["HostConfig"]["Mounts"] = [first, *mounts]

    return change


PIN_ATTEMPTS = {"pin-truncate", "pin-truncate-reading", "pin-write", "pin-replace"}
CONTROL_ATTEMPTS = {
    "control-file-create",
    "control-file-mode",
    "control-file-write",
    "git-commondir",
    "pin-parent-rename",
}
ROOT = as_user("0")
UNCONFINED = without_option("seccomp", "seccomp=unconfined")
# docker-default, where the kernel has AppArmor, would stop some of it a second time.
NO_APPARMOR = without_option("apparmor", "apparmor=unconfined")


def escaped(verdict: Verdict) -> set[str]:
    assert verdict.of("inconclusive") == []
    return {result.id for result in verdict.of("escaped")}


_TRIES = 3
"""Attempts have time limits of a second or less, which a machine that stands still for a moment lets pass."""


def attack(
    api: Engine, folder: Path, facts: HostFacts, *changes: Change, needed: Iterable[str] = ()
) -> Verdict:
    """The verdict on a container of the project's plan, weakened by `changes`; the last of several tries.

    :param needed: attempts that have to escape: where one does not, or nothing is known of one, all is tried again
    """
    plan = plan_of(folder, facts)

    def once() -> Verdict:
        with container(api, plan, *changes) as running:
            return verify(api, running, plan)

    return settled(once, needed)


def settled(once: Callable[[], Verdict], needed: Iterable[str] = ()) -> Verdict:
    """The first verdict of `once` that has a word on each attempt and lets `needed` escape; else the third."""
    for _ in range(_TRIES):
        verdict = once()
        is_whole = not verdict.of("inconclusive")
        if is_whole and {*needed} <= {each.id for each in verdict.of("escaped")}:
            break
    return verdict
