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
from sandboxd.life.services import Surroundings
from sandboxd.model.labels import NAMED
from sandboxd.plan import service_images
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.service import Need
from sandboxd.plan.writers.engine import arguments, memory_bytes
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
    around = Surroundings(INNER, "/state/resolv.conf", "workspace-id", "now")
    return dict(services.body(service, plan, around))


DB = {
    "image": "postgres:16",
    "command": "postgres -c 'max_connections=5' $$HOME ${LEVEL:-info}",
    "environment": {"POSTGRES_PASSWORD": "dev"},
    "volumes": ["data:/var/lib/postgresql/data"],
    "tmpfs": "/run",
    "healthcheck": {"test": "pg_isready", "interval": "1m30s", "retries": 5},
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
    check = {"Test": ["CMD-SHELL", "pg_isready"], "Interval": 90_000_000_000, "Retries": 5}
    assert body["Healthcheck"] == check
    host = body["HostConfig"]
    assert host["NetworkMode"] == "inner" and host["Dns"] == [PLACE.gateway]
    assert host["CapDrop"] == ["ALL"] and host["CapAdd"] == [], "a user of its own needs none"
    assert "no-new-privileges" in " ".join(host["SecurityOpt"])
    assert plan.container.runtime is not None
    assert host["Runtime"] == plan.container.runtime.value
    assert host["Memory"] > 0
    targets = {mount["Target"]: mount for mount in host["Mounts"]}
    volume = targets["/var/lib/postgresql/data"]["Source"]
    assert volume.startswith("data-") and volume != "data", "a volume of this project's own"
    assert targets["/run"]["Type"] == "tmpfs"
    endpoint = body["NetworkingConfig"]["EndpointsConfig"]["inner"]
    assert endpoint == {"IPAMConfig": {"IPv4Address": "198.18.2.0"}}


def test_the_policy_has_the_names_of_all_and_a_command_that_asks_for_it_has_them_too(
    tmp_path: Path,
) -> None:
    plan = planned(tmp_path, db=DB, Cache={"image": "r"}, weak={"image": "x", "privileged": True})
    assert plan.egress is not None
    names = ("cache", "db", "weak", "app")
    assert plan.egress.services == tuple((name, name) for name in names)
    assert arguments(plan)["Labels"][NAMED] == "app", "services reach the workspace by its name"
    assert [each.name for each in plan.services] == ["cache", "db"]
    from sandboxd.policy.floor import NO_FLOOR

    network = Project.open(str(tmp_path), {"HOME": str(tmp_path)}).network(NO_FLOOR)
    assert network.policy is not None and network.policy.services == plan.egress.services


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"privileged": True}, "is privileged"),
        ({"pid": "host"}, "has `pid: host`"),
        ({"volumes": ["../../init.sql:/init.sql:ro"]}, "which lies outside of the project"),
        ({"env_file": "../../secrets"}, "`../../secrets` lies outside of the project"),
        ({"mem_limit": "${SOME}"}, "has the size `${SOME}`"),
        ({"read_only": True, "volumes": ["./a:/a"]}, "no copy of `./a`"),
        ({"healthcheck": {"test": ["run"]}}, "has a health check that begins with none of"),
        ({"healthcheck": {"test": "a", "interval": "soon"}}, "has `soon`, which is no time"),
        ({"depends_on": {"x": {"condition": "service_well"}}}, "`service_well`"),
        ({"volumes": ["/var/run/docker.sock:/s"]}, "mounts `/var/run/docker.sock`"),
        ({"network_mode": "service:other"}, "has `network_mode: service:other`"),
        ({"extra_hosts": ["db:1.2.3.4"]}, "has `extra_hosts`"),
        ({"secrets": ["a"]}, "has `secrets`"),
        ({"x-note": 1, "gadget": 1}, "has `gadget`"),
        ({"cap_add": ["NET_RAW"]}, "`NET_RAW`"),
        ({"security_opt": ["seccomp=unconfined"]}, "has no filter"),
        ({"security_opt": ["label=type:x"]}, "has a filter of its own"),
        ({"environment": {"A": "${NOT_KNOWN:?say it}"}}, "has the variable `NOT_KNOWN`"),
        ({"command": "run ${NOT_KNOWN:?say it}"}, "`NOT_KNOWN`, which has to be set and is not"),
        ({"healthcheck": {"test": ["CMD", "${NOT_KNOWN?}"]}}, "has the variable `NOT_KNOWN`"),
        ({"command": "run $"}, "a dollar sign that begins no variable"),
        ({"command": "run 'one"}, "has a command whose words are not known"),
        ({"image": "${NOT_KNOWN}"}, "has a variable whose value is not known"),
        ({"image": None, "build": "."}, "names no image, only a `build`"),
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
    assert reasons(plan) == [
        "`db`: its published ports are not published: `sandboxd forward db:PORT` opens one here"
    ]
    assert "PortBindings" not in request(plan, "db")["HostConfig"]


ROOT = {key: value for key, value in DB.items() if key != "user"}


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]),
        ({"image": "docker.io/library/postgres:16@sha256:1"}, ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]),
        ({"image": "memcached"}, []),
        ({"image": "mine"}, sorted(service_images.DEFAULT)),
        ({"cap_drop": ["ALL"], "cap_add": ["CHOWN"]}, ["CHOWN"]),
        ({"cap_drop": ["FOWNER"]}, ["CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"]),
        ({"cap_drop": ["all"], "cap_add": ["cap_kill"]}, ["KILL"]),
        ({"cap_drop": ["KILL"], "cap_add": ["KILL"], "image": "memcached"}, ["KILL"]),
        ({"user": "0:0"}, ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]),
        ({"user": "999:999"}, []),
    ],
)  # fmt: skip
def test_a_service_keeps_what_its_image_needs_and_each_right_is_named(
    tmp_path: Path, changes: dict[str, Any], kept: list[str]
) -> None:
    plan = planned(tmp_path, db=ROOT | changes)
    assert request(plan, "db")["HostConfig"]["CapAdd"] == kept
    named = [entry.why for entry in plan.downgrades if entry.control == "service rights"]
    assert [f"`db` ({', '.join(kept)})" in why for why in named] == ([True] if kept else [])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"user": "999", "cap_add": ["NET_BIND_SERVICE"]},
            "`NET_BIND_SERVICE` has no effect: its user `999` is not root, and gains no rights",
        ),
        (
            {"security_opt": ["no-new-privileges:false"]},
            "`no-new-privileges:false` has no effect: no program in it gains rights",
        ),
        (
            {"ulimits": {"memlock": -1}},
            "its `ulimits` (`memlock`) have no effect: it has those of the sandbox",
        ),
    ],
)
@pytest.mark.parametrize(
    "toml", ["", 'runtime = "runc"\nprofile = "trusted"\n[network]\nmode = "allow"\n']
)
def test_what_a_service_asks_for_and_does_not_get_is_named(
    tmp_path: Path, toml: str, changes: dict[str, Any], why: str
) -> None:
    plan = planned(tmp_path, toml=toml, db=ROOT | changes)
    assert reasons(plan) == [f"`db`: {why}"]
    host = request(plan, "db")["HostConfig"]
    assert "NET_BIND_SERVICE" not in host["CapAdd"]
    assert [o for o in host["SecurityOpt"] if "privileges" in o] == ["no-new-privileges=true"]


@pytest.mark.parametrize(
    "changes",
    [
        {"cap_add": ["ALL"]},
        {"cap_add": ["cap_sys_admin"]},
        {"cap_add": ["IPC_LOCK"], "cap_drop": ["IPC_LOCK"]},
        {"cap_add": ["SYS_NICE"], "user": "999"},
        {"privileged": "${SOME:-true}"},
        {"privileged": "${NOT_KNOWN}"},
        {"security_opt": ["apparmor=unconfined"]},
        {"security_opt": ["systempaths=unconfined"]},
        {"user": "${NOT_KNOWN}"},
        {"group_add": ["docker"]},
        {"gpus": "all"},
    ],
)
@pytest.mark.parametrize("profile", ["trusted", "dev"])
def test_what_a_service_asks_for_beyond_its_image_is_not_given(
    tmp_path: Path, changes: dict[str, Any], profile: str
) -> None:
    toml = f'runtime = "runc"\nprofile = "{profile}"\n[network]\nmode = "allow"\n'
    plan = planned(tmp_path, toml=toml, db=ROOT | changes)
    assert plan.services == ()
    (reason,) = reasons(plan)
    assert reason.endswith("`sandboxd up` does not start it"), reason


def test_the_reason_of_a_right_is_the_image_or_the_project_that_asks_for_it(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        cache={"image": "memcached", "cap_add": ["KILL"]},
        db=ROOT | {"cap_add": ["KILL"]},
        own={"image": "mine"},
    )
    why = {e.item.partition(":")[0]: e.why for e in plan.reasons if e.field == "service"}
    assert why["cache"] == "its Compose file asks for it"
    assert why["db"].startswith("its entry point gives the data folder to `postgres`")
    assert why["db"].endswith("; its Compose file asks for KILL")
    assert why["own"] == "its image is in no table, so it has what most entry points need"


def test_the_filter_of_gvisor_is_in_force_in_a_service_as_well(tmp_path: Path) -> None:
    plan = planned(tmp_path, db=DB)
    host = request(plan, "db")["HostConfig"]
    assert host["Annotations"] == arguments(plan)["HostConfig"]["Annotations"]


def test_the_smaller_limit_of_workspace_and_service_counts(tmp_path: Path) -> None:
    toml = 'runtime = "runc"\n'
    plan = planned(tmp_path, toml=toml, db=DB | {"mem_limit": "64mb", "pids_limit": 9})
    host = request(plan, "db")["HostConfig"]
    assert host["Memory"] == 64 << 20 and host["PidsLimit"] == 9
    assert plan.container.memory is not None
    plan = planned(tmp_path, toml=toml, db=DB | {"mem_limit": "900g", "pids_limit": -1})
    host = request(plan, "db")["HostConfig"]
    assert host["Memory"] == memory_bytes(plan.container.memory.value)
    assert plan.container.pids_limit is not None
    assert host["PidsLimit"] == plan.container.pids_limit.value


def test_an_engine_whose_own_filter_is_none_is_named_where_compose_starts_services_by_it(
    tmp_path: Path,
) -> None:
    """Under gVisor they are not in its sandbox, and so take the engine's own filter."""
    assert GVISOR.engine is not None
    options = ("name=seccomp,profile=unconfined",)
    unfiltered = GVISOR._replace(engine=GVISOR.engine._replace(security_options=options))
    lost_by = planned(tmp_path, unfiltered, db=DB).downgrades
    (lost,) = [e for e in lost_by if "own seccomp filter" in e.why]
    assert lost.of_other_tools and lost.control == "service"
    for plan in (planned(tmp_path, unfiltered), planned(tmp_path, db=DB)):
        assert not [e for e in plan.downgrades if "own seccomp filter" in e.why]


def test_services_come_in_the_order_of_what_they_need(tmp_path: Path) -> None:
    a = {"image": "a", "depends_on": {"b": {"condition": "service_healthy"}}}
    b = {"image": "a", "depends_on": ["c"], "healthcheck": {"test": "true"}}
    plan = planned(tmp_path, a=a, b=b, c={"image": "a"})
    assert [each.name for each in plan.services] == ["c", "b", "a"]
    assert plan.services[2].needs == (Need("b", "healthy"),)
    circle = {name: {"image": "a", "depends_on": [other]} for name, other in ("xy", "yx")}
    assert len(planned(tmp_path, **circle).services) == 2, "a circle ends"


@pytest.mark.parametrize("owner", ["app", "db"])
def test_a_network_that_is_shared_keeps_localhost_under_runc(tmp_path: Path, owner: str) -> None:
    toml = 'runtime = "runc"\n'
    if owner == "app":
        plan = planned(tmp_path, toml=toml, db=DB | {"network_mode": "service:app"})
    else:
        plan = planned(
            tmp_path, toml=toml, app={"image": "img:1", "network_mode": "service:db"}, db=DB
        )
    body = request(plan, "db")
    assert body["HostConfig"]["NetworkMode"] == "container:workspace-id"
    assert body.keys().isdisjoint({"Hostname", "NetworkingConfig"})
    assert "Dns" not in body["HostConfig"], "the engine refuses it"
    assert arguments(plan)["Labels"][NAMED] == "db", "its name leads to the workspace"


def test_a_network_that_is_shared_is_refused_in_words_under_gvisor(tmp_path: Path) -> None:
    plan = planned(tmp_path, db=DB | {"network_mode": "service:app"})
    (reason,) = reasons(plan)
    assert reason.startswith("`db` is not at `localhost`")
    assert request(plan, "db")["HostConfig"]["NetworkMode"] == "inner"
    assert NAMED not in arguments(plan)["Labels"], "two names would lead to one of two places"


def test_variables_come_from_the_projects_own_file_and_from_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_HOST", "secret")
    (tmp_path / ".devcontainer").mkdir()
    (tmp_path / ".devcontainer/.env").write_text("PASSWORD=from-file\n")
    (tmp_path / ".devcontainer/db.env").write_text("A=1\nB=1\n")
    written = {"B": "2", "PW": "${PASSWORD}", "PRICE": "5$$"}
    plan = planned(tmp_path, db=DB | {"environment": written, "env_file": "db.env"})
    assert sorted(request(plan, "db")["Env"]) == ["A=1", "B=2", "PRICE=5$", "PW=from-file"]
    written = {"X": "${OF_HOST}", "Y": "a${OF_HOST}b", "OF_HOST": None, "D": "${OF_HOST:-d}"}
    plan = planned(tmp_path, db=DB | {"environment": written})
    assert sorted(request(plan, "db")["Env"]) == ["D=d", "X=", "Y=ab"]
    assert reasons(plan) == [
        "`db`: `OF_HOST` is not set in the project's `.env`, so empty in what it runs: `sandboxd up` reads no "
        "variable of the host"
    ]


def test_a_variable_that_is_set_nowhere_is_empty_in_what_runs_and_named(tmp_path: Path) -> None:
    check = {"test": ["CMD-SHELL", "pg_isready -U $${POSTGRES_USER} -d ${DATABASE}"]}
    plan = planned(
        tmp_path,
        db=DB | {"healthcheck": check, "command": "run --level=${LEVEL} $NAME ${A:-b}"},
    )
    body = request(plan, "db")
    assert body["Healthcheck"]["Test"] == ["CMD-SHELL", "pg_isready -U ${POSTGRES_USER} -d "]
    assert body["Cmd"] == ["run", "--level=", "b"]
    assert reasons(plan) == [
        "`db`: `LEVEL`, `NAME`, `DATABASE` are not set in the project's `.env`, so empty in what it runs: "
        "`sandboxd up` reads no variable of the host"
    ]


def test_each_name_that_compose_knows_a_service_by_leads_to_it(tmp_path: Path) -> None:
    app = {"image": "img:1", "hostname": "web.test", "networks": {"default": {"aliases": ["site"]}}}
    aliases = {"default": {"aliases": ["Postgres", "db.internal", "cache", "site"]}, "x": None}
    db = DB | {"container_name": "my_db", "hostname": "primary", "networks": aliases}
    cache = {"image": "r", "hostname": "no name", "container_name": "localhost", "networks": ["x"]}
    plan = planned(tmp_path, app=app, cache=cache, db=db)
    assert plan.egress is not None
    led = dict(plan.egress.services)
    by_db = ["db", "my_db", "primary", "postgres", "db.internal", "site"]
    assert {name: led[name] for name in by_db} == dict.fromkeys(by_db, "db")
    assert led["web.test"] == led["app"] == "app" and led["cache"] == "cache"
    assert request(plan, "db")["Hostname"] == "primary"
    assert request(plan, "cache")["Hostname"] == "cache"
    whys = reasons(plan)
    assert "`db`: `cache` does not lead to it, but to `cache`" in whys
    assert any("`cache`: its hostname `no name` does not lead to it" in why for why in whys)
    assert any("its container_name `localhost` does not lead to it" in why for why in whys)
    endpoint = request(plan, "db")["NetworkingConfig"]["EndpointsConfig"]["inner"]
    assert endpoint == {"IPAMConfig": {"IPv4Address": "198.18.2.1"}}
    addresses = layout.services(PLACE, plan.egress.services)
    assert addresses == {"cache": "198.18.2.0", "db": "198.18.2.1", "app": "198.18.2.2"}


@pytest.mark.parametrize("mode", ["none", "open"])
def test_without_a_gateway_none_is_started(tmp_path: Path, mode: str) -> None:
    toml = f'profile = "{"trusted" if mode == "open" else "dev"}"\n[network]\nmode = "{mode}"\n'
    plan = planned(tmp_path, toml=toml, db=DB)
    assert plan.services == () and plan.egress is None


def test_a_name_that_is_none_in_dns_and_one_that_is_there_twice_are_named(tmp_path: Path) -> None:
    plan = planned(tmp_path, db=DB, DB=DB, localhost={"image": "x"})
    assert len(plan.services) == 1
    assert plan.egress is not None and plan.egress.services == (("db", "db"), ("app", "app"))
    whys = " ".join(reasons(plan))
    assert "`localhost` has a name that is this machine's own name" in whys
    assert "`db` is called as `DB` is" in whys
