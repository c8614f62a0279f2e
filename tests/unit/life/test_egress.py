"""What a sandbox beside a gateway gets, and what follows when the gateway cannot be had."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sandboxd.egress import layout
from sandboxd.egress.names import pattern
from sandboxd.egress.policy import Policy, Rule
from sandboxd.engine.client import Engine
from sandboxd.errors import EnvironmentFailure
from sandboxd.host import addresses
from sandboxd.life import (
    egress,
    gateway,
    gateway_difference,
    host_isolation,
    running_gateway,
    sources,
    ways_past,
)
from sandboxd.life.egress import Egress, Offer
from sandboxd.life.networks import Inner, Pair
from tests.patience import PATIENCE
from tests.rights import allowing

PLACE = layout.inner_addresses("198.18.0.0/19")
PAIR = Pair(Inner("sandboxd-weather", "a", PLACE, "macvlan"), "b", ())
BESIDE = Egress("/home/dev/weather", PAIR, "sha256:1", allowing(Policy()))
ENGINE = cast(
    "Engine",
    SimpleNamespace(
        host="unix:///engine",
        is_local=False,
        is_podman=lambda: False,
        version=lambda: {"Version": "26.1"},
    ),
)


def silent(_text: str) -> None: ...


@pytest.fixture
def proven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An engine that was seen to keep its host off."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    host_isolation.note(host_isolation.place(os.environ, ENGINE, "macvlan"))


@pytest.fixture
def is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("on_this_machine", "can_read_ours"):
        monkeypatch.setattr(sources, name, lambda _engine: True)


def added(env: list[str] | None = None, settings: dict[str, str] | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"Env": env or [], "HostConfig": {"NetworkMode": "bridge", "Mounts": []}}
    egress.add_to(body, BESIDE.joined, ENGINE, settings)
    return body


def test_it_is_on_the_inner_network_and_asks_the_gateway_for_names(is_here: None) -> None:
    host = added()["HostConfig"]
    assert (host["NetworkMode"], host["Dns"]) == ("sandboxd-weather", ["198.18.0.2"])
    mount = next(m for m in host["Mounts"] if m["Target"] == "/etc/resolv.conf")
    assert mount["ReadOnly"] is True
    assert "nameserver 198.18.0.2\n" in Path(mount["Source"]).read_text()


def test_the_file_with_the_name_server_stays_the_same_file(is_here: None) -> None:
    """It may be mounted: another file in its place would take its mount away."""

    def inode() -> int:
        mounts = added()["HostConfig"]["Mounts"]
        return os.stat(next(m["Source"] for m in mounts if "resolv" in m["Target"])).st_ino

    assert inode() == inode()


def test_settings_of_tools_are_files_that_others_can_read(is_here: None) -> None:
    mounts = added(settings={"/etc/sandboxd/npmrc": "a = b\n"})["HostConfig"]["Mounts"]
    mount = next(m for m in mounts if m["Target"] == "/etc/sandboxd/npmrc")
    assert mount["ReadOnly"] is True
    source = Path(mount["Source"])
    assert source.read_text() == "a = b\n"
    assert source.stat().st_mode & 0o777 == 0o644


def test_programs_find_the_proxy_in_both_spellings(is_here: None) -> None:
    variables = dict(variable.split("=", 1) for variable in added()["Env"])
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        assert variables[name] == variables[name.lower()] == "http://198.18.0.2:3128"
    direct = variables["no_proxy"].split(",")
    assert {"localhost", layout.GATEWAY_NAME} <= {*direct}


def test_a_variable_of_the_project_is_left_to_it(is_here: None) -> None:
    assert [v for v in added(["NO_PROXY=db"])["Env"] if v.startswith("NO_PROXY=")] == [
        "NO_PROXY=db"
    ]


def rules(*sources_of_rules: tuple[str, str]) -> Policy:
    return Policy(rules=tuple(Rule(pattern(n), (443,), source=s) for n, s in sources_of_rules))


@pytest.mark.parametrize(
    ("policy", "env", "value"),
    [
        (rules(("packages.test", "group npm")), [], "packages.test"),
        (
            rules(("a.test", "group yarn"), ("b.test", "sandboxd.toml"), ("*.c.test", "group npm")),
            [],
            "a.test",
        ),
        (rules(("b.test", "sandboxd.toml")), [], ""),
        (rules(("a.test", "group npm")), ["no_proxy=db"], ""),
        (rules(("a.test", "group npm")), ["NPM_CONFIG_NOPROXY=db"], ""),
    ],
)
def test_npm_asks_for_its_registries_by_name(
    is_here: None, policy: Policy, env: list[str], value: str
) -> None:
    body: dict[str, Any] = {"Env": env, "HostConfig": {}}
    egress.add_to(body, BESIDE.joined._replace(policy=policy), ENGINE)
    variables = dict(variable.split("=", 1) for variable in body["Env"])
    expected = f"{variables.get('no_proxy')},{value}" if value else None
    assert variables.get("npm_config_noproxy") == expected


def test_an_engine_elsewhere_gets_no_file_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "can_read_ours", lambda _engine: False)
    host = added()["HostConfig"]
    assert (host["Mounts"], host["Dns"]) == ([], ["198.18.0.2"])


def test_an_engine_that_does_not_answer_is_not_said_to_bind_no_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(*_: object) -> str:
        raise EnvironmentFailure("there is no container engine", "start it")

    monkeypatch.setattr(egress.gateway_image, "ensure", absent)
    said: list[str] = []
    with pytest.raises(EnvironmentFailure):
        egress.prepare(ENGINE, "/home/dev/weather", BESIDE.rights, "", said.append)
    assert said == []


def test_another_network_is_refused_and_an_endpoint_that_is_not_up_is_none() -> None:
    def on(**networks: str) -> dict[str, Any]:
        endpoints = {name: {"NetworkID": identifier} for name, identifier in networks.items()}
        return {"NetworkSettings": {"Networks": endpoints}}

    assert ways_past.other_networks(on(inner="a", stopped=""), BESIDE) == ()
    assert ways_past.other_networks(on(inner="a", bridge="c"), BESIDE) == ("bridge",)
    ways_past.refuse_other_networks(on(bridge="c"), None)
    with pytest.raises(EnvironmentFailure, match="leads past its gateway"):
        ways_past.refuse_other_networks(on(inner="a", bridge="c"), BESIDE)


def test_the_failure_of_a_gateway_ends_the_start_once_both_are_done(
    monkeypatch: pytest.MonkeyPatch, proven: None
) -> None:
    container = threading.Event()

    def follow(*_: object) -> bool:
        container.wait(10)
        raise EnvironmentFailure("the gateway ended")

    monkeypatch.setattr(egress, "follow", follow)
    with (
        pytest.raises(EnvironmentFailure, match="the gateway ended"),
        egress.beside(ENGINE, BESIDE, silent),
    ):
        container.set()


def test_a_failure_of_the_sandbox_is_the_one_that_is_told(
    monkeypatch: pytest.MonkeyPatch, proven: None
) -> None:
    done: list[str] = []

    def follow(*_: object) -> bool:
        done.append("gateway")
        raise EnvironmentFailure("the gateway ended")

    monkeypatch.setattr(egress, "follow", follow)
    with (
        pytest.raises(EnvironmentFailure, match="no space"),
        egress.beside(ENGINE, BESIDE, silent),
    ):
        raise EnvironmentFailure("no space")
    assert done == ["gateway"], "whoever cleans up finds what it made"


def test_nothing_starts_beside_a_gateway_before_its_engine_was_seen_to_hold(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    order: list[str] = []
    workspace = threading.Event()

    def follow(*_: object) -> bool:
        # Beside the workspace once the engine is known to hold: else it would wait in vain.
        order.append("beside" if order and workspace.wait(PATIENCE) else "first")
        return True

    monkeypatch.setattr(egress, "follow", follow)
    with egress.beside(ENGINE, BESIDE, silent):
        order.append("workspace")
    with egress.beside(ENGINE, BESIDE, silent):
        workspace.set()
    assert order == ["first", "workspace", "beside"]
    bridge = Pair(PAIR.inner._replace(driver="bridge"), "b", ())
    order.clear()
    with egress.beside(ENGINE, BESIDE._replace(pair=bridge), silent):
        order.append("workspace")
    assert order == ["first", "workspace"], "another driver holds by other means"


@pytest.mark.parametrize(
    ("is_here", "signature", "asked"),
    [
        (True, "Docker/26.1 (linux)", []),
        (True, "", ["version"]),
        (False, "Docker/26.1 (linux)", ["version"]),
    ],
)
def test_an_engine_of_this_machine_starts_no_programs_to_say_its_version(
    monkeypatch: pytest.MonkeyPatch, is_here: bool, signature: str, asked: list[str]
) -> None:
    calls: list[str] = []

    def version() -> dict[str, str]:
        calls.append("version")
        return {"Version": "26.1", "KernelVersion": "6.18"}

    monkeypatch.setattr(sources, "on_this_machine", lambda _engine: is_here)

    def place(signature: str, driver: str = "macvlan") -> str:
        engine = SimpleNamespace(
            host="unix:///engine", version=version, signature=lambda: signature
        )
        return host_isolation.place({}, cast("Engine", engine), driver)

    first = place(signature)
    assert calls == asked
    assert first == place(signature) and first != place(signature, "bridge")
    if not asked:
        assert first != place("Docker/27.0 (linux)"), "another version was never seen to hold"
        monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(release="another"))
        assert first != place(signature), "nor was another kernel"


def test_an_engine_whose_host_answers_starts_nothing_and_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def follow(*_: object) -> bool:
        raise EnvironmentFailure("the engine's host answers")

    monkeypatch.setattr(egress, "follow", follow)
    for _ in range(2):
        with (
            pytest.raises(EnvironmentFailure, match="host answers"),
            egress.beside(ENGINE, BESIDE, silent),
        ):
            pytest.fail("the workspace started")


@pytest.mark.parametrize("version", [0, 7])
def test_a_gateway_that_runs_and_has_no_policy_gets_what_a_new_one_gets(
    monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """Somebody started its container again: it may have used what it had, and knows nothing of that."""
    pushed: list[Any] = []
    there = SimpleNamespace(id="g", state="running")
    monkeypatch.setattr(gateway, "container_of", lambda *_: there)
    monkeypatch.setattr(gateway, "body", lambda *_: {})
    monkeypatch.setattr(gateway_difference, "as_limited", lambda *_: {})
    monkeypatch.setattr(gateway_difference, "difference", lambda *_: "")
    monkeypatch.setattr(running_gateway, "version", lambda *_: version)
    monkeypatch.setattr(gateway, "push", lambda *words: pushed.append(words[2]))
    had, less = allowing(rules(("a.test", "approval"))), allowing(Policy())
    beside = BESIDE._replace(give=lambda: contextlib.nullcontext(Offer(had, lambda: less)))
    engine: Any = SimpleNamespace(inspect=lambda _: {}, info=dict)
    assert not egress.follow(engine, beside, silent)
    assert pushed == [had if version else less]


def test_without_a_gateway_nothing_is_asked_of_the_engine() -> None:
    with egress.beside(ENGINE, None, silent):
        pass


@pytest.mark.parametrize(("filters", "says"), [(False, True), (True, False), (None, False)])
def test_what_an_address_less_bridge_leaves_open_is_said(
    monkeypatch: pytest.MonkeyPatch, is_here: None, filters: bool | None, says: bool
) -> None:
    beside = BESIDE._replace(pair=PAIR._replace(inner=PAIR.inner._replace(driver="bridge")))
    monkeypatch.setattr(addresses, "reverse_path_filter", lambda: filters)
    lost = ways_past.lost(ENGINE, beside)
    assert [item.control for item in lost] == ["network"] * says
    assert all("rp_filter" in item.fix for item in lost)
    assert ways_past.lost(ENGINE, None) == ways_past.lost(ENGINE, BESIDE) == ()
