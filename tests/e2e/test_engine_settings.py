"""Docker engines with settings of their users in daemon.json, each started for real: a life on each."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e import sandboxes
from tests.e2e.test_other_engines import missing_fact
from tools.engine import private
from tools.engine.image import import_busybox_image

ROOT_OUTSIDE = 2_000_000

# Root inside is a user without a name, whom the engine looks up by that of `nobody`.
MAPPED = f"""
mkdir -p $HOME/data && chmod 711 $HOME $HOME/data
for file in subuid subgid; do
    {{ cat /etc/$file; echo nobody:{ROOT_OUTSIDE}:65536; }} >$HOME/etc-$file
    mount --bind $HOME/etc-$file /etc/$file
done
"""


@contextlib.contextmanager
def engine_with(arguments: Sequence[str], prepare: str = "") -> Iterator[str]:
    """An engine that was started with these arguments, at the address that is yielded."""
    if reason := missing_fact("dockerd", "containerd", "runc", "iptables"):
        pytest.skip(f"no private engine: {reason}")
    name = f"settings-{os.urandom(4).hex()}"
    engine = private.start(name, owner=os.getpid(), arguments=arguments, prepare=prepare)
    try:
        yield engine.docker_host
    finally:
        private.stop(engine.folder)


def life(host: str, project: Path) -> None:
    """Start, write inside, be refused a name, be as planned and at rest at the second `up`, hold, and end."""
    up = sandboxes.run(host, project, "up", "--allow-runc")
    assert up.returncode == 0, up.stderr
    inside = sandboxes.run(host, project, "exec", "-n", "--", "sh", "-c", "id -u; echo >x")
    assert (inside.returncode, inside.stdout) == (0, "1000\n"), inside.stderr
    denied = sandboxes.run(
        host, project, "exec", "-n", "--", "wget", "-q", "-O", "-", "http://denied.test/"
    )
    assert "403" in denied.stderr, denied.stderr
    drift = json.loads(sandboxes.run(host, project, "drift", "--json").stdout)
    assert drift["drift"] == []
    again = sandboxes.run(host, project, "up", "--allow-runc")
    assert "already running" in again.stdout + again.stderr and "made anew" not in again.stderr
    verified = json.loads(sandboxes.run(host, project, "verify", "--json").stdout)
    bad = [each for each in verified["attempts"] if each["outcome"] in ("escaped", "inconclusive")]
    assert verified["held"] is True and not bad, bad
    assert sandboxes.run(host, project, "down").returncode == 0


@pytest.mark.parametrize("runtime", ["runc", "gvisor"])
def test_users_are_mapped(tmp_path: Path, runtime: str) -> None:
    with engine_with(["--userns-remap=nobody:nogroup"], MAPPED) as host:
        if runtime == "gvisor" and sandboxes.facts_of(host).usable_gvisor() is None:
            pytest.skip("gVisor starts nothing here")
        project = sandboxes.make_project(tmp_path / "project", import_busybox_image(host), runtime)
        sandboxes.open_to_user(tmp_path)
        foreign = sandboxes.run(host, project, "generate", "--diff")
        assert "no user inside is user 1000 outside" in foreign.stdout + foreign.stderr
        for path in (project, *project.rglob("*")):
            os.lchown(path, ROOT_OUTSIDE + 1000, ROOT_OUTSIDE + 1000)
        life(host, project)


@pytest.mark.parametrize("by_file", [False, True], ids=["argument", "daemon.json"])
def test_an_engine_without_firewall_rules_is_named(tmp_path: Path, by_file: bool) -> None:
    settings = tmp_path / "daemon.json"
    settings.write_text('{"iptables": false}')
    argument = f"--config-file={settings}" if by_file else "--iptables=false"
    with engine_with([argument]) as host:
        for words in ((), ("--long",)):
            told = sandboxes.run(host, tmp_path, "doctor", *words)
            assert "this engine makes no firewall rules (`iptables: false`)" in " ".join(
                told.stdout.split()
            )
        project = sandboxes.make_project(tmp_path / "project", import_busybox_image(host), "runc")
        plan = sandboxes.run(host, project, "explain-plan", "--all")
        assert "networks are not separated from each other" in " ".join(plan.stdout.split())
        if not by_file:
            sandboxes.open_to_user(tmp_path)
            life(host, project)


@pytest.mark.parametrize(
    "arguments",
    [["--init"], ["--live-restore"], ["--default-runtime=runsc"]],
    ids=["init", "live-restore", "default-runtime"],
)
def test_a_life_on_each(tmp_path: Path, arguments: list[str]) -> None:
    with engine_with(arguments) as host:
        project = sandboxes.make_project(tmp_path / "project", import_busybox_image(host), "runc")
        sandboxes.open_to_user(tmp_path)
        life(host, project)
