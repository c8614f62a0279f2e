"""Programs inside use a service whose secret the gateway alone has, also after the gateway's death."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sandboxd.daemon.attendant import Attendant, EngineAccess
from sandboxd.daemon.gateway_memory import Memory
from sandboxd.egress.broker import Binding, url
from sandboxd.egress.broker_wire import Credentials, names
from sandboxd.egress.policy import Policy
from sandboxd.engine.client import Engine, connect_from
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import gateway, running_gateway, up_down
from sandboxd.model.labels import GATEWAY, PROJECT
from sandboxd.operations import gateway as operation
from sandboxd.plan.plan import Plan
from sandboxd.state import given_rights
from sandboxd.verify import listeners
from tests.e2e import outside, rich_image, sandboxes
from tests.e2e.client_image import name_services
from tests.e2e.outside import Outside
from tests.integration.egress.credential_service import (
    SECRET,
    VALUE,
    Certificate,
    CredentialService,
    certificate,
)
from tests.patience import PATIENCE, eventually
from tests.rights import push
from tools.engine import private

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

HOST, PORT = "api.test", 8101
BINDING = Binding(
    service="stub",
    port=PORT,
    host=HOST,
    host_port=443,
    header="Authorization",
    value=VALUE,
    paths=("/v1",),
)
POLICY = Policy(credentials=names([BINDING]))
HERE = url(PORT)


class Place(NamedTuple):
    """An engine of this page's own, with the internet behind it."""

    api: Engine
    docker_host: str
    folder: Path
    """Where the engine keeps everything."""
    service: CredentialService
    served: Certificate

    @property
    def credentials(self) -> Credentials:
        return Credentials((BINDING,), self.served.pem)


@pytest.fixture(scope="module")
def engine(own_engines: None) -> Iterator[private.Engine]:
    started = private.start(
        f"broker-{os.getpid()}", owner=os.getpid(), arguments=[f"--dns={outside.ADDRESS}"]
    )
    try:
        yield started
    finally:
        private.stop(started.folder)


@pytest.fixture(scope="module")
def internet(engine: private.Engine) -> Iterator[Outside]:
    with outside.outside(listeners.engine_pid(engine.docker_host)) as served:
        served.names.update({HOST, "evil.test"})
        yield served


@pytest.fixture(scope="module")
def place(
    engine: private.Engine, internet: Outside, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    served = certificate(tmp_path_factory.mktemp("tls"), HOST)
    repositories = tmp_path_factory.mktemp("repositories")
    bare = ["git", "init", "-q", "--bare", "-b", "main", str(repositories / "mine.git")]
    subprocess.run(bare, check=True)
    with listeners.network_of(internet.pid):
        listener = socket.socket()
    listener.bind((outside.ADDRESS, 443))
    listener.listen()
    service = CredentialService(listener, served, repositories)
    try:
        api = connect_from({"DOCKER_HOST": engine.docker_host})
        yield Place(api, engine.docker_host, Path(engine.folder), service, served)
    finally:
        service.close()


@pytest.fixture(scope="module")
def image(engine: private.Engine, tmp_path_factory: pytest.TempPathFactory) -> str:
    def more(root: Path) -> list[str]:
        programs = []
        for source, target in (
            (shutil.which("curl"), "usr/bin/curl"),
            ("/usr/lib/git-core/git-remote-http", "usr/lib/git-core/git-remote-http"),
        ):
            assert source is not None, "no curl here"
            shutil.copy2(os.path.realpath(source), root / target)
            programs.append(os.path.realpath(source))
        return [*programs, *name_services(root)]

    folder = tmp_path_factory.mktemp("image")
    return rich_image.build(engine.docker_host, folder, "sandboxd-broker:1", more).image


@pytest.fixture(params=["runc", "gvisor"])
def plan(
    request: pytest.FixtureRequest, place: Place, image: str, tmp_path: Path
) -> Iterator[Plan]:
    """That of a sandbox with one credential and no other name; after the test the secret is nowhere."""
    if request.param == "gvisor" and "runsc-sandboxd" not in place.api.info()["Runtimes"]:
        pytest.skip("no gVisor: the engine has no runtime `runsc-sandboxd`")
    project = sandboxes.make_project(tmp_path / "ws", image, request.param)
    facts = sandboxes.facts_of(place.docker_host)
    planned = sandboxes.plan_of(project, facts)._replace(egress=POLICY)
    place.service.requests.clear()
    place.service.go_on.clear()
    sandboxes.up(place.api, planned, lambda _text: None, credentials=place.credentials)
    try:
        yield planned
        assert leaks(place, planned, tmp_path) == []
        assert leaks(place, planned, tmp_path, planned.workspace), "it finds what is there"
    finally:
        up_down.down(place.api, planned.workspace, lambda _text: None, discard=True)
    assert [*place.api.containers(PROJECT), *place.api.containers(GATEWAY)] == []


Inside = Callable[[str], str]


@pytest.fixture
def inside(place: Place, plan: Plan) -> Inside:
    """What a shell's words print in the sandbox."""

    def run(text: str) -> str:
        words = ["exec", "-n", "sh", "-c", f"export HOME=/tmp; {text}"]
        done = sandboxes.run(place.docker_host, Path(plan.workspace), *words)
        return str(done.stdout) + str(done.stderr)

    return run


def leaks(place: Place, plan: Plan, folder: Path, text: str = SECRET) -> list[str]:
    """Places that hold the secret but the memory of those who may have it."""
    api, docker = place.api, ["docker", "-H", place.docker_host]
    ids = [each.id for each in (*api.containers(PROJECT), *api.containers(GATEWAY))]
    assert len(ids) >= 2
    texts: dict[str, bytes] = {}
    for container in ids:
        for words in (["inspect", container], ["logs", container], ["export", container]):
            done = subprocess.run([*docker, *words], capture_output=True, check=False)
            texts[" ".join(words)] = done.stdout + done.stderr
        (pid,) = {int(api.inspect(container)["State"]["Pid"])}
        for name in ("environ", "cmdline"):
            texts[f"{name} of {container}"] = Path(f"/proc/{pid}/{name}").read_bytes()
    words = ["exec", "-n", "sh", "-c", "cat /proc/*/environ /proc/*/cmdline; env"]
    done = sandboxes.run(place.docker_host, Path(plan.workspace), *words)
    assert "HTTP_PROXY" in done.stdout
    texts["what runs inside"] = done.stdout.encode()
    places = [name for name, content in texts.items() if text.encode() in content]
    for where in (folder, place.folder, Path(os.environ["HOME"])):
        done = subprocess.run(
            ["grep", "-rlaF", "--devices=skip", text, str(where)], capture_output=True, text=True, check=False
        )  # fmt: skip
        places += done.stdout.split("\n")[:-1]
    return places


def test_curl_and_git_use_a_service_whose_secret_is_outside(
    place: Place, plan: Plan, inside: Inside
) -> None:
    assert inside(f"curl -sS {HERE}/v1/user") == "GET /v1/user"
    mine = "-H 'Authorization: Bearer of-mine' -H 'Cookie: a=b' -H 'X-Api-Key: k'"
    assert inside(f"curl -sS {mine} {HERE}/v1/user") == "GET /v1/user"
    for seen in place.service.requests:
        assert seen.headers["authorization"] == VALUE and "cookie" not in seen.headers
    insteadof = f"git -c url.{HERE}/v1/git/.insteadOf=https://{HOST}/"
    identity = "git config user.name a && git config user.email a@b.test"
    work = (
        f"cd /tmp && {insteadof} clone -q https://{HOST}/mine.git mine && cd mine && {identity}"
        " && head -c 9000000 /dev/urandom >large && git add large && git commit -qm first"
        f" && {insteadof} push -q origin HEAD:main && {insteadof} ls-remote origin main"
    )
    assert "refs/heads/main" in inside(work)
    repository = place.service.repositories
    assert repository is not None
    listing = ["git", "-C", str(repository / "mine.git"), "cat-file", "-s", "main:large"]
    assert subprocess.run(listing, capture_output=True, text=True).stdout.strip() == "9000000"
    push = [seen for seen in place.service.requests if seen.path.endswith("git-receive-pack")]
    assert push[-1].headers.get("transfer-encoding") == "chunked"
    subprocess.run(
        ["git", "-C", str(repository / "mine.git"), "update-ref", "-d", "refs/heads/main"],
        check=True,
    )


def test_events_of_a_slow_service_come_one_by_one(place: Place, plan: Plan, inside: Inside) -> None:
    """Each goes out only after the one before was read inside."""
    words = sandboxes.command(
        place.docker_host, Path(plan.workspace), "exec", "-n", "curl", "-sSN", f"{HERE}/v1/sse"
    )
    with subprocess.Popen(words, stdout=subprocess.PIPE) as curl:
        assert curl.stdout is not None
        stop = threading.Timer(5 * PATIENCE, curl.kill)
        stop.start()
        for number in range(3):
            assert curl.stdout.readline() == b"data: %d\n" % number
            assert curl.stdout.readline() == b"\n"
            place.service.go_on.set()
        assert curl.stdout.read() == b""
        stop.cancel()


def test_what_the_credential_is_not_for_is_refused_in_words(
    place: Place, plan: Plan, inside: Inside
) -> None:
    for words, answer in (
        (f"--path-as-is {HERE}/v1/../v2", "two servers could read in two ways"),
        (f"{HERE}/v2", "a path that the credential is not for"),
        (f"-H 'Host: {HOST}' {HERE}/v1/user", "names another host than this gateway"),
        (f"-x http://gateway.sandboxd.internal:3128 --noproxy x {HERE}/v1/user", "not reached"),
        (f"-X TRACE {HERE}/v1/user", "a method that the credential is not for"),
    ):
        assert answer in inside(f"curl -sS {words}")
    assert place.service.requests == []
    # The placeholder that a tool has may go nowhere else: the host itself is no name that is allowed.
    assert "could not resolve" in inside(f"curl -sS --noproxy '*' https://{HOST}/v1/user").lower()
    assert "X-Echo" not in inside(f"curl -sSi {HERE}/v1/echo")
    assert f"Location: {HERE}/v1/user" in inside(
        f"curl -sSi '{HERE}/v1/redirect?https://{HOST}/v1/user'"
    ).replace("location", "Location")


def test_a_second_sandbox_does_not_reach_the_port(
    place: Place, plan: Plan, inside: Inside, image: str, tmp_path: Path
) -> None:
    second = sandboxes.make_project(tmp_path / "second", image, "runc")
    facts = sandboxes.facts_of(place.docker_host)
    planned = sandboxes.plan_of(second, facts)._replace(egress=POLICY)
    address = inside("getent hosts gateway.sandboxd.internal || cat /etc/resolv.conf")
    first = next(word for word in address.split() if word.count(".") == 3)
    sandboxes.up(place.api, planned, lambda _text: None)
    try:
        for host in (first, "gateway.sandboxd.internal"):
            words = ["exec", "-n", "curl", "-sS", "-m", "60", "--noproxy", "*"]
            there = f"http://{host}:{PORT}/v1/user"
            done = sandboxes.run(place.docker_host, second, *words, there)
            assert done.stdout != "GET /v1/user"
        # Its own gateway serves the same port, and has no secret.
        assert "sandboxd up" in done.stdout
    finally:
        up_down.down(place.api, planned.workspace, lambda _text: None, discard=True)
    assert place.service.requests == []


def test_a_gateway_that_was_killed_has_no_secret_until_it_is_given_again(
    place: Place, plan: Plan, inside: Inside
) -> None:
    api = place.api
    running = gateway.container_of(api, plan.workspace)
    assert running is not None
    subprocess.run(
        ["docker", "-H", place.docker_host, "kill", running.id], check=True, capture_output=True
    )
    assert "GET" not in inside(f"curl -sS -m 20 {HERE}/v1/user")
    subprocess.run(
        ["docker", "-H", place.docker_host, "start", running.id], check=True, capture_output=True
    )
    push(api, plan.workspace, POLICY)
    assert "needs a credential that the gateway does not have now" in inside(
        f"curl -sS {HERE}/v1/user"
    )
    assert place.service.requests == []
    running_gateway.push_credentials(api, plan.workspace, place.credentials)
    assert inside(f"curl -sS {HERE}/v1/user") == "GET /v1/user"
    running_gateway.push_credentials(api, plan.workspace, Credentials())
    assert "sandboxd up" in inside(f"curl -sS {HERE}/v1/user")


def test_a_daemon_gives_the_secret_to_the_gateway_that_it_starts_again(
    place: Place, plan: Plan, inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The policy of this test is no project's, which is what the daemon would give it.
    monkeypatch.setattr(operation, "follow", lambda *_, **__: None)
    api, memory, told = place.api, Memory(), list[str]()
    (container,) = api.containers(f"{PROJECT}={plan.sandbox}")
    memory.keep_credentials(container.id, place.credentials)
    access = EngineAccess(lambda: api, lambda: dict(os.environ))
    attendant = Attendant(plan.workspace, access, memory, lambda: None, told.append)

    def works() -> bool:
        """The policy of this test is no project's: whoever starts the gateway gives it another one."""
        try:
            push(api, plan.workspace, POLICY)
        except EnvironmentFailure:
            return False
        # `exec` would give it what the project may have, too.
        given_rights.forget(os.environ, plan.workspace)
        return inside(f"curl -sS -m 60 {HERE}/v1/user") == "GET /v1/user"

    attendant.start()
    try:
        eventually(attendant.is_ready)
        killed = gateway.container_of(api, plan.workspace)
        assert killed is not None
        subprocess.run(["docker", "-H", place.docker_host, "kill", killed.id], check=True)
        eventually(works, lambda: told)
        fresh = gateway.container_of(api, plan.workspace)
        assert fresh is not None and fresh.id != killed.id
    finally:
        attendant.stop()
    assert SECRET not in str(told) + repr(memory.credentials_of(container.id))
