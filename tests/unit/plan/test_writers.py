"""The writers: one plan, three spellings. Golden files are written anew by `pytest --update`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandboxd.errors import UsageError
from sandboxd.findings import Severity
from sandboxd.formats import devcontainer
from sandboxd.formats.resolved.container import effective
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import HostFacts
from sandboxd.lint import analysis
from sandboxd.model.container import Container, Pair
from sandboxd.model.labels import PLAN, RESOLV_CONF
from sandboxd.plan import inner_network, subpath_mounts
from sandboxd.plan.carry import NOTHING, Carried, carry
from sandboxd.plan.container_name import container_name
from sandboxd.plan.generate import with_header
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.workspace import WorkspaceFacts
from sandboxd.plan.writers import argv, devcontainer_json, engine
from sandboxd.syntax import jsonc
from sandboxd.syntax.node import plain
from sandboxd.text import SourceText
from tests.expected import Expect
from tests.unit.plan.examples import (
    DIRECTFS,
    GVISOR,
    PLAIN,
    WORKSPACE,
    base,
    configured,
    document,
    plan_of,
    workspace,
)
from tests.unit.plan.examples import (
    plan as plan_of_text,
)

GOLDEN = Path(__file__).parent / "golden"

HAND_WRITTEN = """{
  // The team's own file.
  "name": "weather",
  "build": {"dockerfile": "Dockerfile"},
  "privileged": true,
  "runArgs": ["--cap-add=SYS_PTRACE", "--gpus=all", "--hostname=box"],
  "mounts": ["source=/var/run/docker.sock,target=/var/run/docker.sock,type=bind"],
  "initializeCommand": "make host-setup",
  "postCreateCommand": "make deps",
  "remoteEnv": {"EDITOR": "vi", "TOKEN": "${localEnv:TOKEN}"},
  "remoteUser": "node",
  "forwardPorts": [8080]
}
"""


def make(
    text: str = "",
    host: HostFacts = GVISOR,
    facts: WorkspaceFacts | None = None,
    hand_written: str | None = None,
) -> tuple[Plan, Carried]:
    config = configured(text if hand_written else 'image = "img:1"\n' + text)
    container = base(hand_written) if hand_written else None
    grants = Grants(allow_runc=True, trusted=True)
    plan = plan_of(config, host, container, facts or workspace(), grants)
    carried = carry(document(hand_written), ".devcontainer") if hand_written else NOTHING
    return plan._replace(left_out=plan.left_out + carried.left_out), carried


CASES: dict[str, tuple[Plan, Carried]] = {
    "dev-gvisor": make(),
    "dev-directfs": make(host=DIRECTFS),
    "dev-runc": make(host=PLAIN),
    "dev-no-network": make('[network]\nmode = "none"\n[environment]\nEDITOR = "vi"'),
    "agent-gvisor": make('profile = "agent"'),
    "agent-runc": make('profile = "agent"', PLAIN),
    "seed-baseline-runc": make('profile = "seed-baseline"', PLAIN),
    "review-directfs": make('profile = "review"', DIRECTFS),
    "untrusted-gvisor": make('profile = "untrusted"'),
    "untrusted-runc": make('profile = "untrusted"', PLAIN),
    "hand-written": make(hand_written=HAND_WRITTEN),
    "comma-in-path": make(host=DIRECTFS, facts=workspace(path="/home/dev/a, b")),
    "quote-in-path": make(facts=workspace(path='/home/dev/a, "b" c')),
}


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, expect: Expect) -> None:
    expect(GOLDEN / f"{name}.devcontainer.json", devcontainer_json.render(*CASES[name]))


def test_no_golden_file_is_left_over() -> None:
    assert {path.name.partition(".")[0] for path in GOLDEN.glob("*.json")} == set(CASES)


def read_back(plan: Plan, carried: Carried) -> Container:
    text = devcontainer_json.render(plan, carried)
    source = SourceText(f"{plan.workspace}/.devcontainer/devcontainer.json", text)
    container = effective(devcontainer.parse(source), Variables(workspace=plan.workspace))
    assert container is not None
    return container


def values(container: Container, field: str) -> list[Any]:
    content = getattr(container, field)
    if content is None:
        return []
    return sorted(
        str(v.value)
        for v in (
            content
            if hasattr(content, "__iter__") and not hasattr(content, "origin")
            else (content,)
        )
    )


@pytest.mark.parametrize("name", CASES)
def test_the_file_read_back_is_the_plan(name: str) -> None:
    plan, carried = CASES[name]
    back = read_back(plan, carried)
    planned, added = plan.container, [Pair("dev.sandboxd.made-by", "editor")]
    if plan.inner is not None:
        planned = inner_network.join(plan.container, plan.inner, plan.workspace)
        added.append(Pair("dev.sandboxd.if-the-network-is-not-found", "sandboxd daemon start"))
    for field in (
        "image", "runtime", "cap_add", "cap_drop", "network", "annotations", "memory", "user",
        "pids_limit", "ulimits", "env", "read_only_rootfs",
    ):  # fmt: skip
        assert values(back, field) == values(planned, field), field
    # Said by the file, so that no label of the image makes the container one of `up`.
    assert values(back, "labels") == sorted([*values(planned, "labels"), *map(str, added)])
    # The CLI splits `mounts` at every comma to find the target: each must have a whole one.
    for text in plain(jsonc.parse(devcontainer_json.render(plan, carried)).root).get("mounts", []):  # type: ignore[union-attr]
        assert any(field.startswith("target=/") for field in text.split(","))
    mounts = [subpath_mounts.of_other_tools(m.value, plan) for m in planned.mounts]
    targets = [(m.target, m.type, m.read_only) for m in mounts]
    written = [(m.value.target, m.value.type, m.value.read_only) for m in back.mounts]
    # The name server's is on no other mount's way; those in memory come as flags, after it.
    resolv = (RESOLV_CONF, "volume", True)
    assert [m for m in written if m != resolv] == [m for m in targets if m != resolv]
    assert (resolv in written) == (resolv in targets)
    assert (back.option("seccomp") is None) == (plan.container.option("seccomp") is None)
    nnp = back.option("no-new-privileges")
    assert nnp is not None and nnp.value.value == "true"


@pytest.mark.parametrize("name", CASES)
def test_the_file_has_no_findings_but_hints(name: str) -> None:
    plan, carried = CASES[name]
    text = with_header(devcontainer_json.render(plan, carried))
    source = SourceText(f"{plan.workspace}/.devcontainer/devcontainer.json", text)
    report = analysis.check_source(source, variables=Variables(workspace=plan.workspace))
    worse = [f for f in report.findings if f.severity is not Severity.HINT]
    assert [(f.rule, f.message) for f in worse] == []


@pytest.mark.parametrize("name", CASES)
def test_the_file_is_json_with_comments(name: str) -> None:
    text = devcontainer_json.render(*CASES[name])
    tree = jsonc.parse(text)
    assert tree.problems == () and tree.root is not None
    without = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))
    assert json.loads(without) == plain(tree.root)


def test_a_hostile_value_cannot_end_a_comment() -> None:
    text = json.dumps({"image": "i", "x\n}": 1, "runArgs": ['--foo=\u2028\r\n,"privileged": true']})
    plan, carried = make(hand_written=text)
    rendered = devcontainer_json.render(plan, carried)
    assert plan.left_out
    assert jsonc.parse(rendered).problems == ()
    assert "privileged" not in plain(jsonc.parse(rendered).root)  # type: ignore[arg-type, operator]


def test_no_path_of_this_machine_is_in_the_file() -> None:
    text = devcontainer_json.render(*make())
    assert WORKSPACE not in text
    assert str(Path(__file__).parents[3]) not in text


def test_engine_arguments() -> None:
    plan, _ = make(host=DIRECTFS)
    body = engine.arguments(plan)
    host = body["HostConfig"]
    assert (body["Image"], body["User"], body["WorkingDir"]) == (
        "img:1",
        "1000:1000",
        "/workspaces/weather",
    )
    assert (host["Runtime"], host["NetworkMode"], host["CapDrop"]) == ("runsc", "bridge", ["ALL"])
    assert host["Memory"] == 8 * 1024**3
    assert host["Ulimits"] == [{"Name": "nproc", "Soft": 4096, "Hard": 4096}]
    seccomp = next(o for o in host["SecurityOpt"] if o.startswith("seccomp="))
    assert json.loads(seccomp.removeprefix("seccomp="))["defaultAction"] == "SCMP_ACT_ALLOW"
    pin = next(m for m in host["Mounts"] if m["Target"].endswith("/.devcontainer"))
    assert pin["Type"] == "volume" and pin["ReadOnly"]
    assert pin["VolumeOptions"] == {
        "NoCopy": True,
        "DriverConfig": {
            "Name": "local",
            "Options": {
                "type": "none",
                "o": "bind,ro",
                "device": f"{WORKSPACE}/.devcontainer",
            },
        },
        "Labels": {"dev.sandboxd.pin": "true"},
    }
    assert json.loads(json.dumps(body)) == body


def test_the_fingerprint_is_that_of_what_is_created() -> None:
    one, same, other = make()[0], make()[0], make('profile = "agent"')[0]
    assert engine.fingerprint(one) == engine.fingerprint(same) != engine.fingerprint(other)
    assert engine.arguments(one)["Labels"][PLAN] == engine.fingerprint(one)


def test_without_a_subnet_the_network_is_that_of_tools_that_join_none() -> None:
    facts = workspace(subnet="")
    for text, network in (("", "bridge"), ('profile = "agent"', "none")):
        alone = plan_of_text(text, workspace=facts)
        assert alone.inner is None
        assert f"--network={network}" in devcontainer_json.render(alone)


def test_argv_is_the_same_container() -> None:
    plan, _ = make()
    words = argv.render(plan)
    assert "--label=dev.sandboxd.made-by=editor" in words
    assert words[:3] == ["docker", "run", "--detach"]
    at = words.index("img:1")
    assert words[at + 1 :] == list(plan.container.command)
    for word in (
        "--runtime=runsc-sandboxd",
        "--cap-drop=ALL",
        "--user=1000:1000",
        f"--network={container_name(WORKSPACE)}",
        "--dns=198.18.32.2",
    ):
        assert word in words[:at]
    assert f"--mount=type=bind,source={WORKSPACE},target=/workspaces/weather" in words


def test_a_project_without_an_image_is_generated_but_not_started() -> None:
    plan, carried = make(hand_written=HAND_WRITTEN)
    assert '"build"' in devcontainer_json.render(plan, carried)
    for write in (engine.arguments, argv.render):
        with pytest.raises(UsageError, match="no image is named"):
            write(plan)


@pytest.mark.parametrize(
    ("text", "size"), [("8g", 8 << 30), ("512m", 512 << 20), ("7", 7), ("1K", 1024)]
)
def test_memory_in_bytes(text: str, size: int) -> None:
    assert engine.memory_bytes(text) == size
