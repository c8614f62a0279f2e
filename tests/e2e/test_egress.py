"""The network by name on a live engine: what is allowed is reached, and nothing else, under both runtimes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandboxd.backends.docker.attack import verify
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from sandboxd.engine.client import Engine, connect_from
from sandboxd.engine.networks import Network
from sandboxd.engine.payload import gateway_image
from sandboxd.errors import EnvironmentFailure
from sandboxd.host.facts import HostFacts
from sandboxd.life import gateway, gateway_channel, networks, running_gateway, up_down
from sandboxd.life.find import sandboxes_of_up
from sandboxd.life.starting import Running
from sandboxd.model.labels import EGRESS, GATEWAY, NETWORK, PROJECT
from sandboxd.plan.container_name import container_name
from sandboxd.plan.plan import Plan
from tests.e2e import outside, sandboxes
from tests.e2e.outside import Outside
from tests.integration.daemon.world import World
from tests.patience import eventually
from tests.rights import push
from tools.engine import private
from tools.private_engine import import_busybox_image

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

PLAIN = "unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY; "


@pytest.fixture(scope="module")
def engine(own_engines: None) -> Iterator[str]:
    """An engine of this page's own, whose only way out leads to `internet`."""
    started = private.start(
        f"egress-{os.getpid()}", owner=os.getpid(), arguments=[f"--dns={outside.ADDRESS}"]
    )
    try:
        yield started.docker_host
    finally:
        private.stop(started.folder)


@pytest.fixture(scope="module")
def internet(engine: str) -> Iterator[Outside]:
    from sandboxd.verify import listeners

    with outside.outside(listeners.engine_pid(engine)) as served:
        served.names.update({"allowed.test", "later.test", "evil.test"})
        yield served


@pytest.fixture(scope="module")
def host_facts(engine: str) -> HostFacts:
    return sandboxes.facts_of(engine)


@pytest.fixture(scope="module")
def busybox_image(engine: str) -> str:
    return import_busybox_image(engine)


@pytest.fixture
def runtime(request: pytest.FixtureRequest, engine: str) -> str:
    """As in the other pages, but of this page's engine."""
    name = str(request.param)
    if (
        name == "gvisor"
        and "runsc-sandboxd" not in connect_from({"DOCKER_HOST": engine}).info()["Runtimes"]
    ):
        pytest.skip("no gVisor: the engine has no runtime `runsc-sandboxd`")
    return name


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "runtime" in metafunc.fixturenames:
        metafunc.parametrize("runtime", ["runc", "gvisor"], indirect=True)


@pytest.fixture(autouse=True)
def nothing_is_left(engine: str) -> Iterator[None]:
    """After each test: no sandbox and no gateway."""
    yield
    api = connect_from({"DOCKER_HOST": engine})
    left = [*api.containers(PROJECT), *api.containers(GATEWAY)]
    for container in left:
        api.remove(container.id)
    assert [container.name for container in left] == []


def policy(*names: str) -> Policy:
    return Policy(rules=tuple(Rule(pattern(name), (80,), source="test") for name in names))


@pytest.fixture
def plan(project: Path, host_facts: HostFacts) -> Plan:
    return sandboxes.plan_of(project, host_facts)._replace(egress=policy("allowed.test"))


@pytest.fixture
def up(api: Engine, plan: Plan, internet: Outside) -> Iterator[Plan]:
    """A sandbox that reaches one name."""
    start(api, plan)
    yield plan
    up_down.down(api, plan.workspace, lambda _text: None)


def start(api: Engine, plan: Plan) -> tuple[Running, list[str]]:
    messages: list[str] = []
    return sandboxes.up(api, plan, messages.append), messages


Inside = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture
def inside(engine: str, project: Path) -> Inside:
    """Runs a shell's words in the sandbox."""
    return lambda text: sandboxes.run(engine, project, "exec", "-n", "sh", "-c", text)


def page(name: str, seconds: int = 60) -> str:
    """Words of a shell that print the page of `name`.

    :param seconds: how long silence is waited for: few where nothing is to come
    """
    return f"wget -T {seconds} -q -O - http://{name}/"


def gateways(api: Engine) -> list[str]:
    return [container.name for container in api.containers(GATEWAY)]


def test_an_allowed_name_is_reached_with_and_without_a_proxy(
    up: Plan, inside: Inside, internet: Outside
) -> None:
    for before in (PLAIN, ""):
        done = inside(before + page("allowed.test"))
        assert done.stdout == "outside for allowed.test\n", done.stderr
    assert "allowed.test" in internet.asked


def test_nothing_else_is_reached_and_no_name_leaks(
    api: Engine, up: Plan, inside: Inside, internet: Outside
) -> None:
    assert "bad address" in inside(PLAIN + page("evil.test")).stderr
    assert "403" in inside(page("evil.test")).stderr
    (bridge_of_host,) = api.network_gateways("bridge")
    inner = networks.pair_of(api, up.workspace)
    assert inner is not None
    for address in (
        outside.ADDRESS,
        outside.ENGINE,
        bridge_of_host,
        inner.inner.addresses.host,
        "169.254.169.254",
    ):
        done = inside(PLAIN + page(address, 5))
        assert (done.returncode, done.stdout) == (1, ""), address
        assert inside(page(address, 5)).stdout == "", f"{address} by the proxy"
    # Of a denied name nobody outside hears anything, from whatever inside asks.
    assert inside(f"nslookup evil.test {outside.ADDRESS}").returncode != 0
    assert "evil.test" not in internet.asked


def test_other_ports_of_an_allowed_name_are_closed(up: Plan, inside: Inside) -> None:
    done = inside("echo | nc -w 5 allowed.test 22; echo $?")
    assert done.stdout == "1\n"


def test_a_new_policy_is_in_force_at_once_and_the_sandbox_goes_on(
    api: Engine, up: Plan, inside: Inside
) -> None:
    (before,) = sandboxes_of_up(api, up.workspace)
    assert inside(page("later.test")).stdout == ""
    running, _ = start(api, up._replace(egress=policy("later.test")))
    assert (running.id, running.how) == (before.id, "already running")
    assert inside(page("later.test")).stdout == "outside for later.test\n"
    assert inside(page("allowed.test")).stdout == ""


def test_a_command_pushes_a_policy_and_reads_what_was_tried(
    api: Engine, up: Plan, inside: Inside
) -> None:
    inside(page("evil.test"))
    gateway = running_gateway.gateway_of(api, up.workspace)
    assert gateway is not None
    tried = {(line.outcome, line.name, line.reason) for line in gateway.ledger().lines()}
    assert ("denied", "evil.test", "no-rule") in tried
    push(api, up.workspace, policy("evil.test"))
    assert inside(page("evil.test")).stdout == "outside for evil.test\n"


def test_without_its_gateway_a_sandbox_reaches_nothing(
    engine: str, api: Engine, up: Plan, inside: Inside, project: Path
) -> None:
    api.stop(gateway.name_of(up.workspace), 0)
    for before in (PLAIN, ""):
        assert inside(before + page("allowed.test", 5)).stdout == ""
    assert row(engine, project) == (
        "not in force",
        "its gateway is exited: nothing gets out until `sandboxd up`",
    )
    running, _ = start(api, up)
    assert running.how == "already running"
    assert inside(page("allowed.test")).stdout == "outside for allowed.test\n"


def test_a_gateway_that_was_started_by_hand_lets_nothing_through(
    engine: str, api: Engine, up: Plan, inside: Inside, project: Path
) -> None:
    api.stop(gateway.name_of(up.workspace), 0)
    api.start(gateway.name_of(up.workspace))
    assert inside(page("allowed.test", 5)).stdout == ""
    state, why = row(engine, project)
    assert (state, "has no policy" in why) == ("not in force", True)


def row(engine: str, project: Path) -> tuple[str, str]:
    """State and reason of the network's control, as `drift` shows it."""
    import json

    answer = json.loads(sandboxes.run(engine, project, "drift", "--json").stdout)
    (control,) = [c for c in answer["controls"] if c["name"] == "network"]
    return control["state"], control["why"]


def test_what_is_in_force_is_seen_and_is_no_drift(
    engine: str, api: Engine, up: Plan, project: Path
) -> None:
    state, why = row(engine, project)
    assert state == "in force", why
    assert "the gateway runs without rights" in why
    assert sandboxes.run(engine, project, "drift").returncode == 0


def test_a_network_that_was_added_by_hand_is_seen_and_taken_away(
    engine: str, api: Engine, up: Plan, project: Path
) -> None:
    (container,) = sandboxes_of_up(api, up.workspace)
    api.connect_network("bridge", container.id)
    assert row(engine, project)[0] == "not in force"
    assert sandboxes.run(engine, project, "drift").returncode == 6
    running, messages = start(api, up)
    assert running.how == "recreated"
    assert any("leads past its gateway" in text for text in messages)
    assert row(engine, project)[0] == "in force"


def test_a_stopped_sandbox_starts_again_with_its_gateway(
    api: Engine, up: Plan, inside: Inside
) -> None:
    (container,) = sandboxes_of_up(api, up.workspace)
    api.stop(container.id, 0)
    api.stop(gateway.name_of(up.workspace), 0)
    running, _ = start(api, up)
    assert (running.id, running.how) == (container.id, "restarted")
    assert inside(page("allowed.test")).stdout == "outside for allowed.test\n"


def test_a_sandbox_without_names_loses_its_gateway(api: Engine, up: Plan) -> None:
    running, _ = start(api, up._replace(egress=None))
    assert running.how == "recreated"
    assert gateways(api) == []
    (container,) = sandboxes_of_up(api, up.workspace)
    assert EGRESS not in container.labels


def test_down_takes_the_gateway_away_and_the_inner_network_that_no_file_names(
    api: Engine, up: Plan
) -> None:
    up_down.down(api, up.workspace, lambda _text: None)
    assert gateways(api) == []
    assert networks.pair_of(api, up.workspace) is None


def test_a_network_of_the_name_that_leads_out_is_refused(
    api: Engine, plan: Plan, internet: Outside
) -> None:
    name = container_name(plan.workspace)
    forged = Network(name, "bridge", {}, {NETWORK: plan.workspace})
    identifier = api.create_network(forged)
    try:
        with pytest.raises(EnvironmentFailure, match="is not as sandboxd makes it"):
            start(api, plan)
        assert sandboxes_of_up(api, plan.workspace) == []
        assert gateways(api) == []
    finally:
        assert api.remove_network(identifier)


def test_where_the_gateway_fails_nothing_is_left(
    api: Engine, plan: Plan, internet: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> list[str]:
        return ["/gateway/loader", "/nothing"]

    monkeypatch.setattr(gateway_image, "command", broken)
    with pytest.raises(EnvironmentFailure, match="the gateway ended"):
        start(api, plan)
    assert sandboxes_of_up(api, plan.workspace) == []
    assert gateways(api) == []


def test_the_next_start_clears_up_after_one_that_was_killed(
    engine: str, api: Engine, project: Path, internet: Outside
) -> None:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    killed = subprocess.Popen(
        sandboxes.command(engine, project, "up"), stderr=subprocess.DEVNULL, env=environ
    )
    eventually(lambda: bool(gateways(api)))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    done = sandboxes.run(engine, project, "up")
    assert done.returncode == 0, done.stderr
    assert row(engine, project)[0] == "in force"
    assert len(gateways(api)) == 1
    assert sandboxes.run(engine, project, "down").returncode == 0


def test_the_daemon_starts_a_gateway_again_that_died(
    api: Engine, project: Path, internet: Outside, world: World, engine: str
) -> None:
    world.start()
    assert world.run("up", cwd=project).returncode == 0
    (name,) = gateways(api)
    first = api.inspect(name)["Id"]
    api.stop(name, 0)
    eventually(lambda: has_policy(api, str(project)) and api.inspect(name)["Id"] != first)
    assert world.run("down", cwd=project).returncode == 0
    assert gateways(api) == []


def test_verify_finds_no_way_out_by_the_network(api: Engine, up: Plan, internet: Outside) -> None:
    (container,) = sandboxes_of_up(api, up.workspace)
    verdict = sandboxes.settled(lambda: verify(api, container.id, up))
    assert [result.evidence for result in verdict.of("inconclusive")] == []
    outcomes = {result.id: result.outcome for result in verdict.results}
    assert outcomes["dns-egress"] == "held", "its answers are the gateway's own"
    assert outcomes["cloud-metadata"] == "held"
    assert outcomes["host-gateway"] == "held"
    assert outcomes["container-peer"] == "not-applicable", "the gateway is no neighbour"
    assert not [name for name in internet.asked if name.startswith("sandboxd-verify-")]


def test_a_save_is_in_force_in_the_running_sandbox(
    api: Engine, project: Path, internet: Outside, world: World, inside: Inside
) -> None:
    """From `init` on: what the file names and the user trusts is reached, and nothing it leaves out."""
    image = (project / "sandboxd.toml").read_text().splitlines()[:2]

    def save(*names: str) -> None:
        entries = ", ".join(f'"{name}:80"' for name in names)
        text = "\n".join([*image, "[network]", f"allow = [{entries}]", ""])
        (project / "sandboxd.toml").write_text(text)
        sandboxes.grant(project)

    def reaches(name: str) -> bool:
        return bool(inside(page(name)).stdout == f"outside for {name}\n")

    world.start()
    save("allowed.test")
    assert world.run("up", cwd=project).returncode == 0
    (container,) = sandboxes_of_up(api, str(project))
    assert reaches("allowed.test")
    assert not reaches("later.test")
    save("allowed.test", "later.test")
    eventually(lambda: reaches("later.test"))
    save("later.test")
    eventually(lambda: not reaches("allowed.test"))
    assert [c.id for c in sandboxes_of_up(api, str(project))] == [container.id]
    assert world.run("down", cwd=project).returncode == 0


def has_policy(api: Engine, workspace: str) -> bool:
    try:
        running = running_gateway.gateway_of(api, workspace)
        if running is None:
            return False
        with gateway_channel.attach(api, gateway.name_of(workspace), workspace) as channel:
            channel.send({"op": "state"})
            return channel.wait_for(
                lambda event: bool(event["version"]) if event["event"] == "state" else None
            )
    except EnvironmentFailure:
        return False
