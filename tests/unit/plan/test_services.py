"""The other services of a Compose project that `up` starts: only what is wholly understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandboxd.egress import layout
from sandboxd.host.facts import HostFacts
from sandboxd.life import services
from sandboxd.life.networks import Inner
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.project import Project
from tests.unit.plan.examples import GVISOR

PLACE = layout.inner_addresses("198.18.0.0/19")
INNER = Inner("inner", "i", PLACE, "bridge")


def planned(folder: Path, host: HostFacts = GVISOR, toml: str = "", **others: Any) -> Plan:
    """The plan of a project whose service `app` has `others` beside it."""
    (folder / ".devcontainer").mkdir(exist_ok=True)
    (folder / "sandboxd.toml").write_text(toml)
    (folder / ".devcontainer/devcontainer.json").write_text(
        '{"dockerComposeFile": "compose.yml", "service": "app"}'
    )
    text = json.dumps({"services": {"app": {"image": "img:1"}, **others}, "volumes": {"data": {}}})
    (folder / ".devcontainer/compose.yml").write_text(text)
    return Project.open(str(folder), {"HOME": str(folder)}).plan(host, Grants(trusted=True))


def reasons(plan: Plan) -> list[str]:
    return [entry.why for entry in plan.downgrades if entry.control == "service"]


def request(plan: Plan, name: str) -> dict[str, Any]:
    (service,) = [each for each in plan.services if each.name == name]
    return services.body(service, 1, plan, INNER, "/state/resolv.conf")


DB = {
    "image": "postgres:16",
    "command": "postgres -c 'max_connections=5' $$HOME ${LEVEL:-info}",
    "environment": {"POSTGRES_PASSWORD": "dev"},
    "volumes": ["data:/var/lib/postgresql/data"],
    "tmpfs": "/run",
    "healthcheck": {"test": "pg_isready"},
    "restart": "unless-stopped",
    "user": "postgres",
}


def test_a_service_is_asked_for_as_it_is_written_and_held_as_the_workspace(tmp_path: Path) -> None:
    plan = planned(tmp_path, db=DB)
    assert reasons(plan) == []
    body = request(plan, "db")
    assert body["Image"] == "postgres:16" and body["User"] == "postgres"
    assert body["Cmd"] == ["postgres", "-c", "max_connections=5", "$HOME", "info"]
    assert "Entrypoint" not in body, "the image's counts"
    assert body["Env"] == ["POSTGRES_PASSWORD=dev"]
    host = body["HostConfig"]
    assert host["NetworkMode"] == "inner" and host["Dns"] == [PLACE.gateway]
    assert host["CapDrop"] == ["ALL"] and "NET_RAW" not in host["CapAdd"]
    assert "no-new-privileges" in " ".join(host["SecurityOpt"])
    assert plan.container.runtime is not None
    assert host["Runtime"] == plan.container.runtime.value
    assert host["Memory"] > 0
    targets = {mount["Target"]: mount for mount in host["Mounts"]}
    volume = targets["/var/lib/postgresql/data"]["Source"]
    assert volume.startswith("data-") and volume != "data", "a volume of this project's own"
    assert targets["/run"]["Type"] == "tmpfs"
    endpoint = body["NetworkingConfig"]["EndpointsConfig"]["inner"]
    assert endpoint == {"IPAMConfig": {"IPv4Address": "198.18.2.1"}}


def test_the_policy_has_the_names_of_all_and_a_command_that_asks_for_it_has_them_too(
    tmp_path: Path,
) -> None:
    plan = planned(tmp_path, db=DB, Cache={"image": "r"}, weak={"image": "x", "privileged": True})
    assert plan.egress is not None
    assert plan.egress.services == (("cache", ""), ("db", ""), ("weak", ""))
    assert [each.name for each in plan.services] == ["cache", "db"]
    from sandboxd.policy.floor import NO_FLOOR

    network = Project.open(str(tmp_path), {"HOME": str(tmp_path)}).network(NO_FLOOR)
    assert network.policy is not None and network.policy.services == plan.egress.services


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"privileged": True}, "is privileged"),
        ({"pid": "host"}, "has `pid: host`"),
        ({"volumes": ["./init.sql:/init.sql:ro"]}, "a path of the host"),
        ({"volumes": ["/var/run/docker.sock:/s"]}, "mounts `/var/run/docker.sock`"),
        ({"network_mode": "service:app"}, "has `network_mode`"),
        ({"extra_hosts": ["db:1.2.3.4"]}, "has `extra_hosts`"),
        ({"secrets": ["a"]}, "has `secrets`"),
        ({"x-note": 1, "gadget": 1}, "has `gadget`"),
        ({"cap_add": ["NET_RAW"]}, "`NET_RAW`"),
        ({"security_opt": ["seccomp=unconfined"]}, "has no filter"),
        ({"security_opt": ["label=type:x"]}, "has a filter of its own"),
        ({"environment": {"A": "${A_OF_HOST}"}}, "takes `A` from the host's environment"),
        ({"environment": ["A"]}, "takes `A` from the host's environment"),
        ({"command": "run ${NOT_KNOWN}"}, "has a command whose words are not known"),
        ({"command": "run 'one"}, "has a command whose words are not known"),
        ({"image": "${NOT_KNOWN}"}, "has a variable whose value is not known"),
        ({"image": None, "build": "."}, "has `build`"),
    ],
)
def test_what_is_not_understood_is_not_started_and_named(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    db = {key: value for key, value in (DB | changes).items() if value is not None}
    plan = planned(tmp_path, db=db)
    assert plan.services == ()
    (reason,) = reasons(plan)
    assert why in reason and reason.endswith("`sandboxd up` does not start it"), reason


def test_published_ports_have_no_effect_and_are_named(tmp_path: Path) -> None:
    plan = planned(tmp_path, db=DB | {"ports": ["5432:5432"]})
    assert [each.name for each in plan.services] == ["db"]
    assert reasons(plan) == ["`db`: its published ports are not published"]
    assert "PortBindings" not in request(plan, "db")["HostConfig"]


def test_rights_that_a_service_gives_away_stay_away(tmp_path: Path) -> None:
    plan = planned(tmp_path, db=DB | {"cap_drop": ["ALL"], "cap_add": ["CHOWN"]})
    assert request(plan, "db")["HostConfig"]["CapAdd"] == ["CHOWN"]
    plan = planned(tmp_path, db=DB | {"cap_drop": ["KILL"]})
    assert "KILL" not in request(plan, "db")["HostConfig"]["CapAdd"]


@pytest.mark.parametrize("mode", ["none", "open"])
def test_without_a_gateway_none_is_started(tmp_path: Path, mode: str) -> None:
    toml = f'profile = "{"trusted" if mode == "open" else "dev"}"\n[network]\nmode = "{mode}"\n'
    plan = planned(tmp_path, toml=toml, db=DB)
    assert plan.services == () and plan.egress is None


def test_a_name_that_is_none_in_dns_and_one_that_is_there_twice_are_named(tmp_path: Path) -> None:
    plan = planned(tmp_path, db=DB, DB=DB, localhost={"image": "x"})
    assert len(plan.services) == 1
    assert plan.egress is not None and plan.egress.services == (("db", ""),)
    whys = " ".join(reasons(plan))
    assert "`localhost` has a name that is this machine's own name" in whys
    assert "`db` is called as `DB` is" in whys
