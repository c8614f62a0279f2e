"""Git pushes by SSH with a key of the user's agent; other keys, other hosts and other uses are refused in words."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.credentials.ssh_agent import wire
from sandboxd.credentials.ssh_agent.agent import Agent
from sandboxd.credentials.ssh_agent.wire import Bind
from sandboxd.engine.client import Engine, connect_from
from sandboxd.model.labels import GATEWAY, PROJECT
from sandboxd.policy.floor import user_folder
from sandboxd.verify import listeners
from tests.e2e import outside, rich_image, sandboxes, tiny_packages
from tests.e2e.client_image import name_services
from tests.e2e.ssh_hosts import SshHost, UserAgent, make_key
from tests.e2e.test_egress import pytest_generate_tests, runtime
from tests.integration.daemon.world import World
from tests.patience import PATIENCE, eventually
from tools.engine import private

__all__ = ["pytest_generate_tests", "runtime"]

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

FORGE, OTHER = "shell-forge.test", "shell-other.test"
CONFIG = f"""
[network]
mode = "allow"
allow = ["{FORGE}:22", "{OTHER}:2222"]

[credentials]
use = ["ssh"]
"""

LOGIN_TO_NO_HOST = """
import os, socket
agent = socket.socket(socket.AF_UNIX)
agent.connect(os.environ["SSH_AUTH_SOCK"])
def string(data):
    return len(data).to_bytes(4, "big") + data
def ask(content):
    agent.sendall(string(content))
    size = int.from_bytes(agent.recv(4), "big")
    return agent.recv(size)
listed = ask(bytes([11]))
size = int.from_bytes(listed[5:9], "big")
key = listed[9:9 + size]
words = [b"root", b"ssh-connection", b"publickey"]
data = string(bytes(32)) + bytes([50]) + b"".join(map(string, words)) + bytes([1])
data += string(b"ssh-ed25519") + string(key)
print(ask(bytes([13]) + string(key) + string(data) + bytes(4))[0])
"""
"""Asks for a signature as a client does that is older than OpenSSH 8.9; prints the number of the answer."""

HELD_OPEN = """
import os, socket
agent = socket.socket(socket.AF_UNIX)
agent.connect(os.environ["SSH_AUTH_SOCK"])
agent.sendall(bytes([0, 0, 0, 1, 11]))
print(len(agent.recv(4)), flush=True)
while agent.recv(4096):
    pass
print("cut", flush=True)
"""
"""Has the agent's answer to one question, and says when its connection ends."""


@pytest.fixture(scope="module")
def engine(own_engines: None) -> Iterator[str]:
    started = private.start(
        f"ssh-{os.getpid()}", owner=os.getpid(), arguments=[f"--dns={outside.ADDRESS}"]
    )
    try:
        yield started.docker_host
    finally:
        private.stop(started.folder)


class Hosts:
    """A forge, another host, and the keys that log in to both."""

    def __init__(self, pid: int, folder: Path) -> None:
        self.folder = folder
        self.chosen, self.unchosen = make_key(folder / "chosen"), make_key(folder / "unchosen")
        authorized = folder / "authorized"
        authorized.write_text(self.chosen.read_text() + self.unchosen.read_text())
        tiny_packages.make_repository(folder / "git/work", folder / "git/team/repo.git")
        self.bare = folder / "git/team/repo.git"
        self.forge = SshHost(pid, folder / "forge", 22, authorized)
        self.other = SshHost(pid, folder / "other", 2222, authorized)
        self.agent = UserAgent(folder, folder / "chosen", folder / "unchosen")

    def known_hosts(self) -> str:
        return f"{FORGE} {self.forge.host_key}\n[{OTHER}]:2222 {self.other.host_key}\n"

    def close(self) -> None:
        for each in (self.forge, self.other, self.agent):
            each.close()


@pytest.fixture(scope="module")
def hosts(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    if not os.path.exists("/usr/sbin/sshd"):
        pytest.skip("no host for SSH: openssh-server is not installed")
    with outside.outside(listeners.engine_pid(engine)) as served:
        served.names.update((FORGE, OTHER))
        every = Hosts(served.pid, tmp_path_factory.mktemp("hosts"))
        try:
            yield every
        finally:
            every.close()


@pytest.fixture(scope="module")
def image(engine: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    def more(root: Path) -> list[str]:
        programs = [path for name in ("ssh", "ssh-add") if (path := shutil.which(name))]
        for path in programs:
            shutil.copy2(path, root / "usr/bin")
        return [*programs, *name_services(root)]

    return rich_image.build(engine, tmp_path_factory.mktemp("image"), "sandboxd-ssh:1", more).image


class Person:
    """Works in one project that logs in by SSH."""

    def __init__(self, world: World, project: Path) -> None:
        self.world, self.project = world, project

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.world.run(*words, cwd=self.project)

    def must(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def inside(self, text: str) -> str:
        done = self.run("exec", "-n", "sh", "-c", f"export HOME=/tmp/home; mkdir -p $HOME; {text}")
        return done.stdout + done.stderr

    def logins(self) -> list[dict[str, object]]:
        lines = self.must("audit", "--json", "--kind", "login").splitlines()
        return [json.loads(line)["facts"] for line in lines if line.startswith("{")]


@pytest.fixture
def person(
    world: World, tmp_path: Path, image: str, runtime: str, hosts: Hosts
) -> Iterator[Person]:
    project = sandboxes.make_project(tmp_path / "ws", image, runtime)
    config = project / "sandboxd.toml"
    config.write_text(config.read_text() + CONFIG)
    (world.home / ".ssh").mkdir()
    (world.home / ".ssh/known_hosts").write_text(hosts.known_hosts())
    world.environ["SSH_AUTH_SOCK"] = hosts.agent.socket
    me = Person(world, project)
    yield me
    me.run("down", "--discard")
    api = connect_from(world.environ)
    left = [*api.containers(PROJECT), *api.containers(GATEWAY)]
    for container in left:
        api.remove(container.id)
    assert [container.name for container in left] == []


def choose(person: Person, hosts: Hosts) -> None:
    person.must("credentials", "add", "ssh", "--key", str(hosts.chosen), "--host", FORGE)
    assert FORGE in person.must("credentials", "test", "ssh")
    assert "logs in as you" in person.must("trust", "add", "--yes")


def test_git_pushes_by_a_chosen_key_and_nothing_else_is_signed(
    person: Person, hosts: Hosts, api: Engine
) -> None:
    person.world.start()
    choose(person, hosts)
    up = person.must("up")
    assert "`ssh` is not in force" not in up, up
    eventually(lambda: "chosen" in person.inside("ssh-add -l"), lambda: person.inside("ssh-add -l"))
    assert "unchosen" not in person.inside("ssh-add -l")

    identity = "git -c user.name=a -c user.email=a@b.test"
    output = person.inside(
        f"cd /tmp && rm -rf repo && git clone -q ssh://root@{FORGE}{hosts.bare} repo && cd repo"
        f" && echo more >> README && {identity} commit -qam second && git push -q origin HEAD:main"
        " && echo pushed"
    )
    assert "pushed" in output, output
    command = ["git", "-C", str(hosts.bare), "log", "-1", "--format=%s", "main"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "second\n"
    subprocess.run(["git", "-C", str(hosts.bare), "update-ref", "refs/heads/main", "main~1"])

    ssh = "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new"
    assert "Permission denied" in person.inside(f"{ssh} -p 2222 root@{OTHER} true")
    # A signature that names no host is for the session that the agent saw the host sign.
    unbound = f"{ssh} -o PubkeyAuthentication=unbound root@{FORGE} echo logged in"
    assert person.inside(unbound).strip() == "logged in"
    assert person.inside(f"python3 -c '{LOGIN_TO_NO_HOST}'").strip() == "5"
    assert "refused" in person.inside("ssh-add -D 2>&1; ssh-add -x </dev/null 2>&1")

    outcomes = {(str(each["outcome"]), str(each["host"])) for each in person.logins()}
    assert ("signed", FORGE) in outcomes
    assert any("the host is none of those" in outcome for outcome, _ in outcomes), outcomes
    assert any("does not say which host" in outcome for outcome, _ in outcomes), outcomes
    assert places_of_the_key(person, api, hosts) == []

    person.must("down", "--discard")
    eventually(lambda: [each for each in person.logins() if each["count"] != 1])


def test_keys_are_taken_back_from_a_sandbox_that_runs(person: Person, hosts: Hosts) -> None:
    person.world.start()
    choose(person, hosts)
    person.must("up")

    def has_key() -> bool:
        return "chosen" in person.inside("ssh-add -l")

    eventually(has_key, lambda: person.inside("ssh-add -l"))
    held = person.world.popen("exec", "-n", "python3", "-c", HELD_OPEN, cwd=person.project)
    assert held.stdout is not None and held.stdout.readline() == "4\n"
    policy = Path(user_folder(person.world.environ)) / "policy.toml"
    policy.write_text("credentials = []\n")
    assert held.communicate(timeout=PATIENCE)[0] == "cut\n"
    eventually(lambda: not has_key())
    policy.unlink()
    eventually(has_key, lambda: person.inside("ssh-add -l"))
    person.must("trust", "revoke")
    eventually(lambda: not has_key())
    person.must("trust", "add", "--yes")
    eventually(has_key, lambda: person.inside("ssh-add -l"))
    config = person.project / "sandboxd.toml"
    text = config.read_text()
    config.write_text(text.replace('"ssh"', ""))
    eventually(lambda: not has_key())
    config.write_text(text)
    eventually(has_key, lambda: person.inside("ssh-add -l"))
    person.must("credentials", "remove", "ssh")
    eventually(lambda: not has_key())


def places_of_the_key(person: Person, api: Engine, hosts: Hosts) -> list[str]:
    """Where a line of the private key is."""
    secret = (hosts.folder / "chosen").read_text().splitlines()[2]
    texts = {
        "inside": person.inside(
            f"grep -rhao -D skip '{secret[:20]}.*' /tmp /home /etc /root /run /var"
        ),
        "record": person.must("audit", "--json"),
        "status": person.must("status", "--json"),
        "inspect": json.dumps([api.inspect(each.id) for each in api.containers(PROJECT)]),
    }
    for path in person.world.home.rglob("*"):
        # The daemon goes on, and replaces files of its own meanwhile.
        with contextlib.suppress(FileNotFoundError):
            if path.is_file():
                texts[str(path)] = path.read_bytes().decode("latin-1")
    return [name for name, text in texts.items() if secret in text]


def test_without_a_daemon_up_says_that_nobody_signs(person: Person, hosts: Hosts) -> None:
    choose(person, hosts)
    up = " ".join(person.must("up").split())
    assert "`ssh` is not in force: a daemon passes signatures on" in up
    assert "sandboxd daemon start" in up
    assert "chosen" not in person.inside("ssh-add -l")


def test_what_is_missing_is_said(person: Person, hosts: Hosts) -> None:
    key = str(hosts.chosen)
    refused = person.run("credentials", "add", "ssh", "--key", key, "--host", "nobody.test")
    assert refused.returncode != 0 and "no file of known hosts has a key of `nobody.test`" in (
        refused.stderr
    )
    choose(person, hosts)
    del person.world.environ["SSH_AUTH_SOCK"]
    assert "`SSH_AUTH_SOCK` is not set" in person.must("up")


def test_openssh_verifies_a_host_and_finds_a_lie(tmp_path: Path) -> None:
    public = make_key(tmp_path / "host")
    agent = UserAgent(tmp_path, tmp_path / "host")
    try:
        asked = Agent(agent.socket)
        (identity,) = asked.identities()
        session = secrets.token_bytes(32)
        number, answer = asked.ask(
            wire.SIGN, wire.string(identity.key) + wire.string(session) + bytes(4)
        )
        assert number == wire.SIGNATURE
        claim = Bind(identity.key, session, answer[4:], False)
        assert Agent(agent.socket).verifies(claim)
        assert not Agent(agent.socket).verifies(claim._replace(session=bytes(32)))
        assert (
            wire.fingerprint(identity.key)
            in subprocess.run(
                ["ssh-keygen", "-l", "-f", str(public)], capture_output=True, text=True, check=True
            ).stdout
        )
    finally:
        agent.close()
