"""Compose projects: one file that replaces the service, and nothing of the old one in it."""

from __future__ import annotations

import json
import os
import textwrap
from pathlib import Path

import pytest
import yaml

from sandboxd.errors import UsageError
from sandboxd.files import read_beside, read_source
from sandboxd.formats import devcontainer
from sandboxd.formats.resolved.container import effective
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import HostFacts
from sandboxd.model.files import Files
from sandboxd.plan import subpath_mounts
from sandboxd.plan.generate import is_edited
from sandboxd.plan.grants import Grants
from sandboxd.project import Project
from tests.unit.plan.examples import DIRECTFS, GVISOR, PLAIN

OVERRIDE = ".devcontainer/sandboxd/docker-compose.sandboxd.yml"
MAIN = ".devcontainer/sandboxd/devcontainer.json"

HOSTILE = """
services:
  app:
    image: img:1
    privileged: true
    pid: host
    network_mode: host
    user: root
    command: sleep infinity
    env_file: secrets.env
    environment:
      PLAIN: "1"
      TOKEN: ${TOKEN}
    cap_add: [SYS_ADMIN]
    devices: ["/dev/kvm"]
    security_opt: ["seccomp:unconfined"]
    volumes:
      - ..:/workspace:cached
      - /var/run/docker.sock:/var/run/docker.sock
    ports: ["8080:8080"]
    depends_on: [db]
  db:
    image: postgres
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "w"
    (root / ".devcontainer").mkdir(parents=True)
    (root / "sandboxd.toml").write_text("")
    (root / ".devcontainer/compose.yml").write_text(HOSTILE)
    (root / ".devcontainer/secrets.env").write_text("OF_A_FILE=secret\n")
    (root / ".devcontainer/devcontainer.json").write_text(
        '{"dockerComposeFile": "compose.yml", "service": "app", "workspaceFolder": "/workspace",'
        ' "remoteUser": "node", "runServices": ["app", "db"], "postCreateCommand": "make deps"}'
    )
    for path in (root, *root.rglob("*")):
        os.chown(path, 1000, 1000)
    return root


GRANTS = Grants(allow_runc=True, trusted=True)


def generate(root: Path, host: HostFacts = PLAIN, config: str = "") -> dict[str, str]:
    (root / "sandboxd.toml").write_text(config)
    project = Project.open(str(root), {})
    return {out.path: out.text for out in project.outputs(host, GRANTS)}


def service(text: str, name: str = "app") -> dict[str, object]:
    class Loader(yaml.SafeLoader):
        pass

    def override(loader: yaml.SafeLoader, node: yaml.Node) -> object:
        if isinstance(node, yaml.MappingNode):
            return loader.construct_mapping(node, True)
        assert isinstance(node, yaml.SequenceNode)
        return loader.construct_sequence(node, True)

    Loader.add_constructor("!override", override)
    Loader.add_constructor("!reset", override)
    result: dict[str, object] = yaml.load(text, Loader)["services"][name]
    return result


def test_nothing_weak_of_the_service_is_left(workspace: Path) -> None:
    override = service(generate(workspace)[OVERRIDE])
    assert not override.keys() & {
        "privileged",
        "pid",
        "devices",
        "ports",
        "env_file",
        "network_mode",
    }
    assert override["environment"] == {"PLAIN": "1"}
    labels = override["labels"]
    assert isinstance(labels, dict) and labels["dev.sandboxd.made-by"] == "editor"
    assert (
        override["image"] == "img:1"
        and override["user"] == "node"
        and override["cap_drop"] == ["ALL"]
    )
    assert "sys_admin" not in json.dumps(override).lower() and "docker.sock" not in json.dumps(
        override
    )
    sources = [v["source"] for v in override["volumes"] if v["type"] == "bind"]  # type: ignore[attr-defined]
    assert sources[0] == ".." and all(source.startswith(".") for source in sources)
    left = {entry.item for entry in Project.open(str(workspace), {}).plan(PLAIN).left_out}
    assert {"privileged: true", "pid: host", "network_mode: host"} <= left
    assert any("TOKEN" in item for item in left) and any("secrets.env" in item for item in left)


@pytest.mark.parametrize("host", [PLAIN, GVISOR, DIRECTFS])
def test_read_back_it_is_the_plan(workspace: Path, host: HostFacts) -> None:
    for out in Project.open(str(workspace), {}).generate(host, Grants(allow_runc=True)):
        assert not is_edited((workspace / out.path).read_text()) or out.path.endswith(
            "seccomp.json"
        )
    plan = Project.open(str(workspace), {}).plan(host, Grants(allow_runc=True))
    variables = Variables(
        workspace=str(workspace), realpath=os.path.realpath, files=Files(load=read_beside)
    )
    document = devcontainer.parse(read_source(str(workspace / MAIN)))
    back = effective(document, variables)
    assert back is not None and back.unseen == ()
    for field in ("image", "runtime", "user", "memory", "pids_limit", "working_dir"):
        ours, read = getattr(plan.container, field), getattr(back, field)
        assert (read and read.value) == (ours and ours.value), field
    for field in ("cap_add", "cap_drop", "env", "annotations", "ulimits"):
        ours, read = getattr(plan.container, field), getattr(back, field)
        assert {v.value for v in read} == {v.value for v in ours}, field
    mounts = [subpath_mounts.of_other_tools(m.value, plan) for m in plan.container.mounts]
    planned = {(m.target, m.type, m.read_only) for m in mounts}
    assert {(m.value.target, m.value.type, m.value.read_only) for m in back.mounts} == planned
    assert back.option("seccomp") is not None and back.is_privileged() is False


def test_the_editors_file_names_the_files_and_the_service(workspace: Path) -> None:
    text = generate(workspace)[MAIN]
    body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))
    config = json.loads(body)
    assert config["dockerComposeFile"] == [
        "../../.devcontainer/compose.yml",
        "docker-compose.sandboxd.yml",
    ]
    assert config["service"] == "app" and config["runServices"] == ["app", "db"]
    assert config["remoteUser"] == "node" and config["overrideCommand"] is False
    assert config["postCreateCommand"] == "make deps"
    assert not config.keys() & {"image", "runArgs", "mounts", "workspaceMount", "securityOpt"}


def test_the_other_services_are_named(workspace: Path) -> None:
    plan = Project.open(str(workspace), {}).plan(PLAIN)
    (other,) = [d for d in plan.downgrades if d.control == "other services"]
    assert other.why.startswith("`db`: an editor's Compose starts them under the engine's own")
    assert other.of_other_tools, "`up` starts them another way"
    text = HOSTILE.replace("image: postgres", "image: postgres\n    secrets: [a]")
    (workspace / ".devcontainer/compose.yml").write_text(text)
    plan = Project.open(str(workspace), {}).plan(PLAIN)
    (other,) = [d for d in plan.downgrades if d.control == "other services"]
    assert other.why.startswith("`db`: Compose starts them as they are written")
    assert not other.of_other_tools


def test_the_override_gives_other_services_the_rights_that_up_gives_them(workspace: Path) -> None:
    text = HOSTILE.replace(
        "image: postgres", "image: postgres\n    cap_add: [CHOWN]\n    mem_limit: 64m\n  odd: {}"
    )
    (workspace / ".devcontainer/compose.yml").write_text(text)
    text = generate(workspace)[OVERRIDE]
    needed = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]
    db = service(text, "db")
    assert (db["cap_drop"], db["cap_add"]) == (["ALL"], needed)
    assert "no-new-privileges=true" in db["security_opt"]  # type: ignore[operator]
    assert db["mem_limit"] == 64 << 20 and "runtime" not in db
    assert service(text)["depends_on"] == {"db": {"condition": "service_started", "required": True}}
    with pytest.raises(KeyError):
        service(text, "odd")  # `up` does not start it
    limited = HOSTILE.replace(
        "image: postgres",
        "image: postgres\n    user: '5'\n    deploy: {resources: {limits: {memory: 64m}}}",
    )
    (workspace / ".devcontainer/compose.yml").write_text(limited)
    db = service(generate(workspace)[OVERRIDE], "db")
    assert "mem_limit" not in db, "Compose refuses a limit that is said in both ways"
    assert db["cap_add"] == []


def test_a_service_that_is_built_keeps_its_build_and_loses_host_variables(workspace: Path) -> None:
    text = HOSTILE.replace(
        "image: img:1",
        "build: {context: .., dockerfile: .devcontainer/Dockerfile, target: dev,"
        " network: host, args: {A: '1', SECRET: $TOKEN}}",
    )
    (workspace / ".devcontainer/compose.yml").write_text(text)
    (workspace / ".devcontainer/Dockerfile").write_text("FROM scratch AS dev\n")
    build = service(generate(workspace)[OVERRIDE])["build"]
    assert build == {
        "context": "..",
        "dockerfile": ".devcontainer/Dockerfile",
        "target": "dev",
        "args": {"A": "1"},
    }


def test_a_dollar_sign_starts_no_variable(workspace: Path) -> None:
    text = generate(workspace, config='[environment]\nPRICE = "$5 ${HOME}"\n')[OVERRIDE]
    assert r"$$5 $${HOME}" in text


def test_no_network_is_no_network(workspace: Path) -> None:
    override = service(generate(workspace, config='[network]\nmode = "none"\n')[OVERRIDE])
    assert override["network_mode"] == "none" and "networks" not in override


def test_files_that_are_not_seen_are_refused(workspace: Path) -> None:
    (workspace / ".devcontainer/compose.yml").unlink()
    with pytest.raises(UsageError, match="Compose files are not all seen"):
        generate(workspace)
    outside = workspace.parent / "compose.yml"
    outside.write_text(textwrap.dedent(HOSTILE))
    (workspace / ".devcontainer/compose.yml").symlink_to(outside)
    with pytest.raises(UsageError, match="lies outside of the project"):
        generate(workspace)


HOST_NETWORKS = """
services:
  app:
    image: img:1
    networks: %s
    volumes: ["data:/data"]
networks:
  h: {name: host, external: true}
  lan: {driver: macvlan}
  own: {}
  default: %s
"""


@pytest.mark.parametrize(
    ("networks", "default", "override"),
    [
        ("[h, lan, own]", "{}", {"networks": ["own"]}),
        ("[h]", "{}", {}),
        ("[h]", "{name: host, external: true}", {"network_mode": "bridge"}),
        ("[]", "{driver: '${DRIVER}'}", {"network_mode": "bridge"}),
    ],
)
def test_no_network_of_the_hosts(
    workspace: Path, networks: str, default: str, override: dict[str, object]
) -> None:
    (workspace / ".devcontainer/compose.yml").write_text(HOST_NETWORKS % (networks, default))
    written = service(generate(workspace)[OVERRIDE])
    assert {k: v for k, v in written.items() if k.startswith("network")} == override
    downgrades = Project.open(str(workspace), {}).plan(PLAIN).downgrades
    assert any(d.control == "networks" and "LAN" in d.why for d in downgrades)


def test_driver_options_of_an_earlier_file_are_still_in_force(workspace: Path) -> None:
    folder = workspace / ".devcontainer"
    bind = "volumes: {data: {driver_opts: {type: none, o: bind, device: /}}}"
    first = f"services: {{app: {{image: 'img:1', volumes: ['data:/data', 'own:/own']}}}}\n{bind}\n"
    (folder / "compose.yml").write_text(first)
    (folder / "more.yml").write_text("volumes: {data: {labels: {a: b}}, own: {}}\n")
    (folder / "devcontainer.json").write_text(
        '{"dockerComposeFile": ["compose.yml", "more.yml"], "service": "app"}'
    )
    text = generate(workspace)[OVERRIDE]
    assert "/data" not in text
    # Under the project's own name: another project's volume is not it.
    assert '"own": !override {}\n' in text


WEAK = """
services:
  app: {image: "img:1", depends_on: [db]}
  db: {image: "db:1", %s}
"""


def with_sidecar(root: Path, text: str, profile: str) -> tuple[object, dict[str, str]]:
    """`runServices` of the generated file, and what the plan says by control."""
    (root / ".devcontainer/compose.yml").write_text(WEAK % text)
    (root / ".devcontainer/devcontainer.json").write_text(
        '{"dockerComposeFile": "compose.yml", "service": "app"}'
    )
    main_file = generate(root, GVISOR, f'profile = "{profile}"\n')[MAIN]
    body = "\n".join(line for line in main_file.splitlines() if not line.lstrip().startswith("//"))
    downgrades = Project.open(str(root), {}).plan(GVISOR).downgrades
    return json.loads(body).get("runServices"), {d.control: d.why for d in downgrades}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('privileged: true, volumes: ["/:/h"]', "`db` is privileged"),
        ('volumes: ["/:/h:ro"]', "outside of the project"),
        ('volumes: ["/var/run/docker.sock:/s"]', "outside of the project"),
        ('volumes: ["../../elsewhere:/h"]', "outside of the project"),
        ('volumes: ["~/.ssh:/h"]', "`~/.ssh`, which is not known"),
        ('volumes: ["./out:/h"]', "outside of the project"),
        ('volumes: ["..:/h"]', "can write what is read-only"),
        ('volumes: ["../.git/hooks:/h"]', "can write what is read-only"),
        ('volumes: ["sandboxd-pin-1:/h"]', "stands for a folder of the host"),
        ("pid: host", "has `pid: host`"),
        ("network_mode: host", "has `network_mode: host`"),
        ('network_mode: "container:x"', "has `network_mode: container:x`"),
        ("cap_add: [sys_admin]", "the capability `SYS_ADMIN`"),
        ('devices: ["/dev/kvm"]', "devices of the host"),
        ('security_opt: ["seccomp:unconfined"]', "has no filter"),
        ("use_api_socket: true", "controls the engine"),
        ("provider: {type: evil}", "is a program of the host"),
        ("build: {context: /etc}", "built from a folder outside"),
        ("build: {context: ., network: host}", "built with `network=host`"),
    ],
)
def test_no_weak_service_is_started_beside_a_strict_sandbox(
    workspace: Path, text: str, why: str
) -> None:
    (workspace / ".devcontainer/out").symlink_to("/etc")
    for profile in ("agent", "untrusted", "review"):
        run, reasons = with_sidecar(workspace, text, profile)
        assert run == ["app"]
        assert why in reasons["weak service"] and "not started" in reasons["weak service"]
        assert reasons["other services"].startswith("none is started")
    run, reasons = with_sidecar(workspace, text, "dev")
    assert run is None
    assert why in reasons["weak service"] and "can act upon the host" in reasons["weak service"]


@pytest.mark.parametrize(
    "text",
    [
        'volumes: ["data:/var/lib/db", "../init.sql:/init.sql"], cap_add: [IPC_LOCK]',
        'volumes: ["..:/h:ro"]',
        "build: {context: .}",
        "tmpfs: /tmp",
    ],
)
def test_a_service_that_has_nothing_of_the_host_is_started(workspace: Path, text: str) -> None:
    run, reasons = with_sidecar(workspace, text, "agent")
    assert run is None and "weak service" not in reasons
    assert reasons["other services"].startswith("`db`: ")


@pytest.mark.parametrize(
    ("config", "started"),
    [
        ('profile = "agent"\n[workspace]\nlayout = "bind"\n', ["app"]),
        ('profile = "agent"\n', None),
        ('profile = "dev"\n', None),
    ],
    ids=["agent", "agent-copy", "dev"],
)
def test_a_file_that_can_be_written_from_inside_may_say_anything_later(
    workspace: Path, config: str, started: list[str] | None
) -> None:
    run, reasons = with_sidecar(workspace, "tmpfs: /tmp", "agent")
    assert run is None and "Compose files" not in reasons
    (workspace / "compose.yml").write_text(WEAK % "tmpfs: /tmp")
    (workspace / ".devcontainer/devcontainer.json").write_text(
        '{"dockerComposeFile": "../compose.yml", "service": "app"}'
    )
    main_file = generate(workspace, GVISOR, config)[MAIN]
    body = "\n".join(line for line in main_file.splitlines() if not line.lstrip().startswith("//"))
    assert json.loads(body).get("runServices") == started
    downgrades = Project.open(str(workspace), {}).plan(GVISOR, GRANTS).downgrades
    reasons = {d.control: d.why for d in downgrades}
    if "dev" not in config and started is None:
        # On a copy nothing that Compose reads on the host can be written.
        assert "Compose files" not in reasons
    elif started is None:
        assert reasons["Compose files"].startswith("`compose.yml` can be written from inside")
    else:
        assert reasons["other services"].startswith("none is started")
