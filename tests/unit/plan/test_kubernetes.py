"""The objects for Kubernetes. Golden files are written anew by `pytest --update`."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandboxd.egress.policy import Policy, Upstream
from sandboxd.egress.wire import policy_from_json
from sandboxd.errors import UsageError
from sandboxd.model.labels import GATEWAY, PROJECT
from sandboxd.plan import cluster
from sandboxd.plan.cluster import Cluster
from sandboxd.plan.plan import Plan
from sandboxd.plan.writers import kubernetes
from tests.expected import Expect
from tests.unit.plan.examples import RUNC_GRANTED, plan, workspace
from tests.unit.plan.pod_security import broken

kubernetes_validate = pytest.importorskip("kubernetes_validate")

GOLDEN = Path(__file__).parent / "golden" / "kubernetes"
OPTIONS = Cluster(
    runtime_class="gvisor",
    gateway_image="python:3-slim",
    gateway_address="10.96.200.1",
    trial="print(1)  # $(HOME)",
)
PROGRAM = b"the archive of the gateway's program"
AGENT = """profile = "agent"
environment = {PRICE = "$(HOME) costs $5", LINES = "a\\nb"}
[network]
allow = ["api.example.com:8443"]
private = ["10.1.2.3:5432"]
"""
CASES = {
    "dev": ("", OPTIONS._replace(runtime_class="")),
    "agent-sandbox": (AGENT, OPTIONS._replace(for_controller=True, namespace="team", cpus="500m")),
    "untrusted": (
        'profile = "untrusted"',
        Cluster(runtime_class="gvisor", seccomp_profile="agent.json"),
    ),
}


def planned(text: str = "", options: Cluster = OPTIONS, **rest: Any) -> Plan:
    return plan(text, cluster.facts(options), grants=RUNC_GRANTED, **rest)


def written(text: str = "", options: Cluster = OPTIONS, **rest: Any) -> str:
    return kubernetes.render(planned(text, options, **rest), options, PROGRAM)


def objects(text: str = "", options: Cluster = OPTIONS, **rest: Any) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(written(text, options, **rest)))


def pod_specs(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The Pods of all objects, as they are made from them."""
    specs = []
    for each in documents:
        if each["kind"] == "Pod":
            specs.append(each["spec"])
        elif each["kind"] == "Deployment":
            specs.append(each["spec"]["template"]["spec"])
        elif each["kind"] == "Sandbox":
            specs.append(each["spec"]["podTemplate"]["spec"])
    return specs


def only(documents: list[dict[str, Any]], kind: str, end: str = "") -> dict[str, Any]:
    """The one object of this kind whose name ends so."""
    (match,) = (d for d in documents if d["kind"] == kind and d["metadata"]["name"].endswith(end))
    return match


@pytest.mark.parametrize("name", CASES)
def test_objects(name: str, expect: Expect) -> None:
    expect(GOLDEN / f"{name}.yaml", written(*CASES[name]))


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == CASES.keys()


@pytest.mark.parametrize("version", ["1.30", "1.32", "1.35", "1.37"])
@pytest.mark.parametrize("name", CASES)
def test_every_object_is_one_of_kubernetes(name: str, version: str) -> None:
    for each in objects(*CASES[name]):
        if each["kind"] == "Sandbox":
            assert each["apiVersion"] == "agents.x-k8s.io/v1beta1"
            assert each["spec"].keys() == {"operatingMode", "podTemplate"}
            template = each["spec"]["podTemplate"]
            assert template["metadata"].keys() == {"labels", "annotations"}
            each = {"apiVersion": "v1", "kind": "Pod", **template}
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("name", CASES)
def test_every_pod_passes_pod_security_restricted(name: str) -> None:
    specs = pod_specs(objects(*CASES[name]))
    assert specs and [broken(spec) for spec in specs] == [[]] * len(specs)


def test_the_list_of_pod_security_finds_a_pod_that_breaks_it() -> None:
    (spec,) = pod_specs([{"kind": "Pod", "spec": {"containers": [{"name": "x"}], "hostPID": True}}])
    assert broken(spec) == [
        "hostPID", "allowPrivilegeEscalation", "runAsNonRoot", "seccompProfile", "capabilities.drop",
    ]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_no_pod_has_more_than_it_needs(name: str) -> None:
    for spec in pod_specs(objects(*CASES[name])):
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        for container in spec["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["limits"].keys() == {"cpu", "memory", "ephemeral-storage"}


def test_the_policies_come_first_and_select_what_they_are_for() -> None:
    documents = objects(AGENT)
    kinds = [each["kind"] for each in documents]
    assert kinds[:2] == ["NetworkPolicy"] * 2 and kinds[-1] == "Pod"
    labels = documents[-1]["metadata"]["labels"]
    assert documents[0]["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert GATEWAY not in labels
    gateway = only(documents, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert documents[1]["spec"]["podSelector"]["matchLabels"] == gateway
    assert PROJECT not in gateway


def test_a_pod_without_a_network_is_closed_both_ways() -> None:
    documents = objects('profile = "untrusted"')
    assert [each["kind"] for each in documents] == ["NetworkPolicy", "Pod"]
    spec = documents[0]["spec"]
    assert (spec["policyTypes"], spec["ingress"], spec["egress"]) == (["Ingress", "Egress"], [], [])
    assert documents[1]["spec"]["dnsConfig"] == {"nameservers": ["127.0.0.1"]}
    assert not [
        e for e in documents[1]["spec"]["containers"][0]["env"] if "proxy" in e["name"].lower()
    ]


def test_the_pod_asks_its_gateway_alone_and_the_gateway_serves_that_pod() -> None:
    documents = objects()
    service = only(documents, "Service", "-gateway")["spec"]
    assert service["clusterIP"] == "10.96.200.1"
    assert documents[-1]["spec"]["dnsConfig"]["nameservers"] == ["10.96.200.1"]
    env = {e["name"]: e["value"] for e in documents[-1]["spec"]["containers"][0]["env"]}
    assert env["HTTPS_PROXY"] == env["all_proxy"] == "http://10.96.200.1:3128"
    reached = {(port["protocol"], port["targetPort"]) for port in service["ports"]}
    # The one that no policy allows: by it the Pod tries them.
    reached.remove(("TCP", 8080))
    for policy, way in ((documents[0], "egress"), (documents[1], "ingress")):
        (rule,) = policy["spec"][way]
        assert {(port["protocol"], port["port"]) for port in rule["ports"]} == reached
    clients = only(documents, "Service", "-clients")
    command = pod_specs(documents)[0]["containers"][0]["command"]
    assert command[-1] == clients["metadata"]["name"]
    assert clients["spec"]["selector"].items() <= documents[-1]["metadata"]["labels"].items()


@pytest.mark.parametrize(("text", "required"), [("", False), (AGENT, True)])
def test_a_container_of_ours_tries_the_network_before_the_image_of_the_project_runs(
    text: str, required: bool
) -> None:
    spec = objects(text)[-1]["spec"]
    (trial,) = spec["initContainers"]
    assert trial["image"] == OPTIONS.gateway_image != spec["containers"][0]["image"]
    assert "volumeMounts" not in trial, "nothing of the project is in it"
    task = json.loads(trial["command"][-1])
    assert task["allowed"] == ["10.96.200.1", 3128]
    assert task["forbidden"] == [["10.96.200.1", 8080]]
    assert task["required"] is required
    assert trial["command"][-2] == "print(1)  # $$(HOME)"


def test_a_pod_without_an_image_for_the_trial_is_said_to_be_tried_by_nobody() -> None:
    options = Cluster(runtime_class="gvisor")
    closed = "[network]\nmode = 'none'"
    assert "initContainers" not in objects(closed, options)[-1]["spec"]
    assert "nobody has tried" in written(closed, options)
    assert "nobody has tried" not in written(closed)


def test_the_gateway_is_started_as_its_archive_wants_it() -> None:
    documents = objects()
    (container,) = pod_specs(documents)[0]["containers"]
    assert tuple(container["command"][1:4]) == ("-I", "-S", "-B")
    program, policy = (only(documents, "ConfigMap", end) for end in ("-program", "-policy"))
    assert base64.b64decode(program["binaryData"]["gateway.zip"]) == PROGRAM
    assert container["command"][4].endswith("/gateway.zip")
    command = json.loads(policy["data"]["policy.json"])
    assert (command["op"], command["cut"]) == ("policy", True)
    read = policy_from_json(command["policy"])
    assert read.version > 0
    assert read.rules == (planned().egress or Policy()).rules


def test_the_gateway_reaches_the_ports_of_the_rules_and_private_networks_by_private_rules_alone() -> (
    None
):
    name_servers, public, private = objects(AGENT)[1]["spec"]["egress"]
    assert [port["port"] for port in name_servers["ports"]] == [53, 53]
    assert [port["port"] for port in public["ports"]] == [8443]
    assert "10.0.0.0/8" in public["to"][0]["ipBlock"]["except"]
    assert [port["port"] for port in private["ports"]] == [5432]
    assert "169.254.0.0/16" in private["to"][0]["ipBlock"]["except"]


def test_a_policy_without_rules_reaches_name_servers_alone() -> None:
    assert len(objects('profile = "agent"')[1]["spec"]["egress"]) == 1


@pytest.mark.parametrize(
    ("setting", "room"),
    [
        ({"mounts": ["type=tmpfs,target=/scratch,tmpfs-size=64m"]}, "64Mi"),
        ({"mounts": ["type=tmpfs,target=/scratch,tmpfs-mode=1777,tmpfs-size=2g"]}, "2048Mi"),
        ({"runArgs": ["--tmpfs=/scratch:mode=1777,size=64m"]}, "64Mi"),
        ({"mounts": ["type=tmpfs,target=/scratch"]}, "1024Mi"),
    ],
)
def test_a_folder_in_memory_of_the_project_has_the_size_that_it_names(
    setting: dict[str, list[str]], room: str
) -> None:
    hand_written = json.dumps({"image": "img:1", **setting})
    (pod,) = pod_specs(objects(hand_written=hand_written))[-1:]
    (volume,) = (v for v in pod["volumes"] if v["name"] == "memory-0")
    assert volume["emptyDir"] == {"medium": "Memory", "sizeLimit": room}
    mounts = {m["name"]: m["mountPath"] for m in pod["containers"][0]["volumeMounts"]}
    assert mounts["memory-0"] == "/scratch"


def test_nothing_of_the_user_is_in_the_objects() -> None:
    facts = workspace(
        git_identity=(("user.name", "Ada Example"), ("user.email", "ada@example.org"))
    )
    text = written(AGENT, workspace=facts)
    for word in ("Ada", "ada@", "/home/dev"):
        assert word not in text
    assert "git identity" in text


def test_what_is_not_in_force_stands_above_the_objects_and_in_an_annotation() -> None:
    text = written()
    lost = cluster.downgrades(planned(), OPTIONS)
    annotation = objects()[-1]["metadata"]["annotations"][kubernetes.NOT_IN_FORCE]
    assert annotation.splitlines() == [f"{each.control}: {each.why}" for each in lost]
    for each in lost:
        assert f"# - {each.control}: {each.why}\n" in text


def test_the_kubelet_puts_no_variable_into_a_text_of_the_project() -> None:
    container = objects(AGENT)[-1]["spec"]["containers"][0]
    env = {entry["name"]: entry["value"] for entry in container["env"]}
    assert env["PRICE"] == "$$(HOME) costs $$5"
    assert "$" not in "".join(container["command"]).replace("$$", "")


def test_no_variable_of_the_project_asks_a_node_for_its_graphics_processors() -> None:
    text = 'profile = "untrusted"\nenvironment = {NVIDIA_VISIBLE_DEVICES = "all"}\n'
    (container,) = objects(text)[-1]["spec"]["containers"]
    assert {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"} in container["env"]


def test_a_time_limit_ends_the_pod() -> None:
    assert objects('profile = "untrusted"')[-1]["spec"]["activeDeadlineSeconds"] == 3600
    assert "activeDeadlineSeconds" not in objects('profile = "agent"')[-1]["spec"]


def test_memory_is_bytes_as_the_engine_counts_them() -> None:
    (container,) = objects()[-1]["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == "8192Mi"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", OPTIONS._replace(gateway_image=""), "no image is named for that"),
        ("", OPTIONS._replace(gateway_address=""), "no address is named"),
        ("", OPTIONS._replace(gateway_address="gateway"), "`gateway` is no IPv4 address"),
        ("", OPTIONS._replace(gateway_address="fd00::1"), "`fd00::1` is no IPv4 address"),
        ("", OPTIONS._replace(namespace="Team: x"), "`Team: x` is no name of an object"),
        ("", OPTIONS._replace(runtime_class="a\nb"), "is no name of an object"),
        ("", OPTIONS._replace(cpus="many"), "`many` is no number of processors"),
        ('[network]\nmode = "open"', OPTIONS, "the project's network is open"),
    ],
)  # fmt: skip
def test_what_no_objects_are_made_of_is_refused(text: str, options: Cluster, message: str) -> None:
    chosen = planned(text, OPTIONS)
    with pytest.raises(UsageError) as refused:
        kubernetes.render(chosen, options, PROGRAM)
    assert message in refused.value.message and refused.value.hint


def test_a_password_of_a_proxy_is_put_into_no_object() -> None:
    chosen = planned()
    assert chosen.egress is not None
    proxy = Upstream("proxy.example", 3128, "user:secret")
    with pytest.raises(UsageError) as refused:
        kubernetes.render(
            chosen._replace(egress=chosen.egress._replace(upstream=proxy)), OPTIONS, PROGRAM
        )
    assert "secret" not in refused.value.message
    open_proxy = chosen.egress._replace(upstream=proxy._replace(credentials=""))
    text = kubernetes.render(chosen._replace(egress=open_proxy), OPTIONS, PROGRAM)
    ways = list(yaml.safe_load_all(text))[1]["spec"]["egress"]
    assert [port["port"] for port in ways[-1]["ports"]] == [3128]


def test_a_gateway_with_secrets_holds_them_in_memory_and_in_no_object() -> None:
    config = AGENT + '[credentials]\nrequired = ["anthropic"]\n'
    without = objects(config)
    assert "credentials" not in only(without, "Deployment")["spec"]["template"]["spec"]["volumes"]
    holding = OPTIONS._replace(keeps_secrets=True)
    documents = objects(config, holding)
    (gateway,) = (
        spec for spec in pod_specs(documents) if spec["containers"][0]["name"] == "gateway"
    )
    assert {"name": "secrets", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}} in gateway[
        "volumes"
    ]
    assert not any(broken(spec) for spec in pod_specs(documents))
    name = only(documents, "Pod")["metadata"]["name"]
    policy = kubernetes.policy_of(only(documents, "ConfigMap", "-gateway-policy"))
    assert policy is not None
    ((service, port),) = policy.credentials
    assert service == "anthropic"
    (closed,) = (
        d for d in documents if d["kind"] == "NetworkPolicy" and d["metadata"]["name"] == name
    )
    assert {"protocol": "TCP", "port": port} in closed["spec"]["egress"][0]["ports"]
    lost = cluster.downgrades(planned(config, holding), holding)
    (line,) = (each for each in lost if each.control == "credentials")
    assert "whoever may run commands in Pods" in line.why
