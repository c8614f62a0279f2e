"""Graphics processors come by grant alone, where the host can; whatever is asked for and not had is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.errors import UsageError
from sandboxd.host.facts import HostFacts, Nvidia
from sandboxd.observe import inspection
from sandboxd.observe.drift import differences
from sandboxd.plan import carry, profiles
from sandboxd.plan.granting import wanted
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.writers import argv, compose_override, devcontainer_json
from sandboxd.plan.writers.engine import arguments
from sandboxd.policy.floor import NO_FLOOR, Demand
from tests.unit.plan import examples
from tests.unit.plan.examples import GVISOR, HOSTS, PLAIN, WORKSPACE, configured
from tests.unit.plan.test_services import planned

GPU = HOSTS["ubuntu-24-04-gpu"]
ASKS = '[devices]\ngpus = ["all"]\n'
RUNC = f'runtime = "runc"\n{ASKS}'
GRANTED = Grants(trusted=True)


def plan(text: str, host: HostFacts = GPU, hand_written: str | None = None) -> Plan:
    return examples.plan(text, host, hand_written, grants=GRANTED)


def said(plan: Plan) -> list[str]:
    return [entry.why for entry in plan.downgrades if entry.control == "GPU"]


@pytest.mark.parametrize("runtime", ["gvisor", "runc"])
def test_what_is_granted_is_in_every_form_of_the_plan(runtime: str) -> None:
    granted = plan(f'runtime = "{runtime}"\n[devices]\ngpus = ["0", "1"]\n')
    assert granted.gvisor == (runtime == "gvisor")
    (request,) = arguments(granted)["HostConfig"]["DeviceRequests"] or ()
    assert request == {"Count": 0, "DeviceIDs": ["0", "1"], "Capabilities": [["gpu"]]}
    assert '--gpus="device=0,1"' in argv.render(granted), "docker takes fields apart at commas"
    assert json.dumps('--gpus="device=0,1"') in devcontainer_json.render(granted)
    assert any(why.startswith("hooks of NVIDIA's toolkit run on the host") for why in said(granted))


def test_all_devices_are_one_request() -> None:
    (request,) = arguments(plan(RUNC))["HostConfig"]["DeviceRequests"] or ()
    assert request == {"Count": -1, "DeviceIDs": [], "Capabilities": [["gpu"]]}
    assert "--gpus=all" in argv.render(plan(RUNC))


@pytest.mark.parametrize(
    ("gpus", "device"),
    [
        ('["all"]', {"count": "all", "capabilities": ["gpu"]}),
        ('["1"]', {"device_ids": ["1"], "capabilities": ["gpu"]}),
    ],
)
def test_compose_reserves_what_the_engine_is_asked_for(
    tmp_path: Path, gpus: str, device: dict[str, object]
) -> None:
    granted = planned(tmp_path, GPU, f"[devices]\ngpus = {gpus}\n", db={"image": "a"})
    text = compose_override.render(granted)
    entry = {"resources": {"reservations": {"devices": [device]}}}
    assert f"    deploy: {json.dumps(entry)}" in text.splitlines()
    assert text.count("devices") == 1, "no other service gets one"


def test_a_container_with_another_device_than_planned_is_drift() -> None:
    request = arguments(plan(RUNC))
    live = inspection.container({"Config": {}, "HostConfig": request["HostConfig"]})  # type: ignore[typeddict-item]
    assert live.gpus is not None and live.gpus.value == "all"
    two = {"HostConfig": {"DeviceRequests": [{"Count": 2, "Capabilities": [["gpu"]]}]}}
    counted = inspection.container(two)  # type: ignore[arg-type]
    assert counted.gpus is not None and counted.gpus.value == "2"
    without = inspection.requested(arguments(plan('runtime = "runc"\n')))
    (drift,) = [d for d in differences(without, live) if d.control == "gpus"]
    assert (drift.planned, drift.live) == ("", "all")


@pytest.mark.parametrize(
    "hand_written",
    [
        '{"image": "i", "hostRequirements": {"gpu": true}}',
        '{"image": "i", "hostRequirements": {"gpu": "optional"}}',
        '{"image": "i", "hostRequirements": {"gpu": {"cores": 100, "memory": "4gb"}}}',
        '{"image": "i", "runArgs": ["--gpus=all"]}',
    ],
)
def test_the_devcontainer_json_alone_grants_nothing_and_is_told_the_way(hand_written: str) -> None:
    without = plan('runtime = "runc"\n', hand_written=hand_written)
    assert without.container.gpus is None
    assert "DeviceRequests" not in arguments(without)["HostConfig"]
    (left,) = [entry for entry in without.left_out if "gpu" in entry.item]
    assert '`[devices] gpus = ["all"]`' in left.why and "`sandboxd trust add`" in left.why
    carried = carry.carry(examples.document(hand_written), "")
    text = devcontainer_json.render(without, carried)
    assert '"gpu"' not in text, "the dev container CLI would add `--gpus all` for it"
    assert '"--gpus' not in text


def test_nothing_is_left_out_where_it_is_granted() -> None:
    granted = plan(RUNC, hand_written='{"image": "i", "hostRequirements": {"gpu": true}}')
    assert granted.container.gpus is not None and granted.left_out == ()


def test_more_than_a_device_is_not_compared_and_said() -> None:
    asks = '{"image": "i", "hostRequirements": {"gpu": {"cores": 100, "memory": "4gb"}}}'
    assert "`hostRequirements` asks for more of it, not compared: gpu: cores, memory" in said(
        plan(RUNC, hand_written=asks)
    )


@pytest.mark.parametrize(
    ("host", "text", "why"),
    [
        (PLAIN._replace(nvidia=Nvidia("", "")), RUNC, "this machine has no driver of NVIDIA's"),
        (PLAIN._replace(nvidia=Nvidia("550.54.15", "")), RUNC, "NVIDIA's Container Toolkit is not installed"),
        (PLAIN, RUNC, "whether the engine's machine has NVIDIA's driver and toolkit is not seen from here"),
        (GVISOR._replace(nvidia=Nvidia("550.54.15", "1.17.8")), ASKS, "`runsc-sandboxd` is registered without `--nvproxy`"),
        (GPU._replace(nvidia=Nvidia("999.1", "1.17.8")), ASKS, "`runsc-sandboxd` does not know the driver 999.1"),
        (GPU._replace(nvidia=None), ASKS, "which drivers `runsc-sandboxd` knows is not seen from here"),
    ],
)  # fmt: skip
def test_a_host_that_cannot_is_named_and_nothing_is_asked_of_the_engine(
    host: HostFacts, text: str, why: str
) -> None:
    without = plan(text, host)
    assert without.container.gpus is None
    assert said(without) == [f"none is passed in: {why}"]
    (downgrade,) = [entry for entry in without.downgrades if entry.control == "GPU"]
    assert downgrade.fix
    optional = '{"image": "i", "hostRequirements": {"gpu": "optional"}}'
    is_fine = plan(text, host, optional)
    assert said(is_fine) == []
    (reason,) = [entry for entry in is_fine.reasons if entry.field == "gpus"]
    assert reason.why == f"{why}, and `hostRequirements.gpu` is optional"


def test_it_needs_a_grant_that_says_what_it_gives() -> None:
    with pytest.raises(UsageError, match="alone cannot have graphics processors") as e:
        examples.plan(RUNC.replace("runc", "auto"), GPU)
    assert "sandboxd trust add" in e.value.hint
    config = configured(f'image = "i"\n{ASKS}')
    asked = wanted(WORKSPACE, config, profiles.load("dev"), None, NO_FLOOR)
    assert len(asked.grants) == 1
    assert asked.lines == (
        "graphics processors: all; hooks of NVIDIA's toolkit run on the host for it, and the driver "
        "takes orders from inside",
    )


@pytest.mark.parametrize("profile", ["untrusted", "review"])
def test_a_profile_for_strangers_has_none(profile: str) -> None:
    with pytest.raises(UsageError, match=f"profile `{profile}` has no graphics processors"):
        plan(f'profile = "{profile}"\n{ASKS}')


def test_a_policy_forbids_them_to_all() -> None:
    floor = NO_FLOOR._replace(no_gpus=True, demands=(Demand("gpus", False, "/p"),))
    with pytest.raises(UsageError, match="`/p` forbids them"):
        examples.plan(ASKS, GPU, grants=GRANTED, floor=floor)
