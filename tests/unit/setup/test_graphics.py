"""`setup gvisor --nvproxy` on recorded hosts: what is registered, refused and named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.host.facts import HostFacts, Nvidia
from sandboxd.host.facts.raw_answers import from_raw
from sandboxd.plan import gpus
from sandboxd.setup import graphics, register
from sandboxd.setup.engine_control import Control
from sandboxd.setup.register import EngineConfig, RegisterStep
from sandboxd.setup.trial import DIRECTFS_OFF, Need, Needs

ROOT = Path(__file__).parents[3]
PLAIN = Needs((), ())
KNOWN = ("535.104.05", "550.54.14")


def host(name: str) -> HostFacts:
    return from_raw(json.loads((ROOT / f"tests/hosts/{name}.json").read_text()))


def place(folder: Path) -> EngineConfig:
    return EngineConfig(str(folder / "daemon.json"), Control("unix:///nowhere", (), (), False, 1.0))


def test_a_host_with_the_driver_has_it_registered() -> None:
    facts = host("ubuntu-24-04-gpu")
    graphics.refuse(facts.nvidia)
    runtimes = register.definitions("/usr/bin/runsc", PLAIN, nvproxy=True)
    assert runtimes == {
        "runsc-sandboxd": {"path": "/usr/bin/runsc", "runtimeArgs": ["--nvproxy=true"]}
    }
    both = register.definitions(
        "/r", Needs((Need("--network=host", ""),), (Need(DIRECTFS_OFF, ""),)), nvproxy=True
    )
    assert both["runsc-sandboxd"]["runtimeArgs"] == [
        DIRECTFS_OFF,
        "--network=host",
        "--nvproxy=true",
    ]
    assert both["runsc-sandboxd-bind"]["runtimeArgs"] == ["--network=host", "--nvproxy=true"]


@pytest.mark.parametrize("name", ["debian-13-runsc", "macos-docker-desktop", "remote-tcp-plain"])
def test_a_host_without_the_driver_is_refused(name: str) -> None:
    with pytest.raises(EnvironmentFailure, match="no driver of theirs") as caught:
        graphics.refuse(host(name).nvidia)
    assert "AMD and Intel" in caught.value.message and "CDI" in caught.value.message


@pytest.mark.parametrize(
    ("nvidia", "supported", "lines"),
    [
        (Nvidia("550.54.14", "1.17.8"), KNOWN, []),
        (Nvidia("999.1", "1.17.8"), KNOWN, ["this build does not know the driver 999.1"]),
        (Nvidia("550.54.14", ""), KNOWN, ["NVIDIA's Container Toolkit is not installed"]),
        (Nvidia("550.54.14", "1.17.8"), None, ["which drivers this build knows is not known"]),
    ],
)
def test_what_is_missing_beside_it_is_named(
    nvidia: Nvidia, supported: tuple[str, ...] | None, lines: list[str]
) -> None:
    *shown, last = graphics.words(nvidia, supported)
    assert last == graphics.NOT_GIVEN
    assert len(shown) == len(lines)
    assert all(line.startswith(start) for line, start in zip(shown, lines, strict=True))


@pytest.mark.parametrize(
    ("arguments", "plain", "asks"),
    [([], True, False), (["--nvproxy=true"], True, True)],
)
def test_what_is_registered_without_it_is_not_done_yet(
    tmp_path: Path, arguments: list[str], plain: bool, asks: bool
) -> None:
    runsc = tmp_path / "runsc"
    runsc.touch()
    table = {"runtimes": {"runsc-sandboxd": {"path": str(runsc), "runtimeArgs": arguments}}}
    (tmp_path / "daemon.json").write_text(json.dumps(table))
    at = place(tmp_path)
    assert RegisterStep(at, str(runsc), str(tmp_path)).is_done() is plain
    assert RegisterStep(at, str(runsc), str(tmp_path), nvproxy=True).is_done() is asks
    assert register.passes_graphics(at) is asks, "an update keeps it"


def test_the_plan_names_the_command_that_registers_it() -> None:
    facts = host("ubuntu-24-04-gpu")
    assert facts.engine is not None
    plain = [each._replace(args=()) for each in facts.engine.runtimes if each.name != "runc"]
    _, hint = gpus.why_not_under_gvisor(plain[-1], facts) or ("", "")
    assert "`sudo sandboxd setup gvisor --apply --nvproxy`" in hint
