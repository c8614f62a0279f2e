"""Kubernetes manifests: which files they are, and the containers that their Pods have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxd import formats
from sandboxd.findings import Severity
from sandboxd.formats import kubernetes
from sandboxd.formats.resolved.container import containers
from sandboxd.formats.resolved.variables import Variables
from sandboxd.lint import analysis
from sandboxd.lint.fixing import fix_source
from sandboxd.model.container import Container, Device, Mount, Pair, SecurityOption
from sandboxd.syntax import yaml
from sandboxd.text import SourceText

PATH = "/p/deploy/web.yaml"
HEAD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"


def read(text: str) -> tuple[Container, ...]:
    return containers(kubernetes.parse(SourceText(PATH, text)), Variables())


def one(below_spec: str) -> Container:
    (container,) = read(HEAD + below_spec)
    return container


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("/p/k8s/web.yaml", HEAD, "kubernetes"),
        ("/p/deploy/overlays/prod/patch.yml", HEAD, "kubernetes"),
        ("/p/web-deployment.yaml", HEAD, "kubernetes"),
        ("/p/cronjob.yml", HEAD, "kubernetes"),
        ("/p/anything.yaml", HEAD, "kubernetes"),
        ("/p/k8s/values.yaml", "image: nginx\n", None),
        ("/p/k8s/web.json", '{\n  "kind": "Pod",\n  "apiVersion": "v1"\n}', "kubernetes"),
        ("/p/anything.json", '{"apiVersion":"v1","kind":"List"}', "kubernetes"),
        ("/p/k8s/schema.json", '{"properties": {"kind": {}, "apiVersion": {}}}', None),
        ("/p/k8s/deploy.json", '[{"apiVersion": "v1", "kind": "Pod"}]', None),
        ("/p/k8s/compose.yaml", "services: {}\n", "compose"),
        ("/p/deploy/lefthook.yml", "pre-commit: {}\n", "lefthook"),
        ("/p/k8s/web.yaml", '"apiVersion": v1\n"kind": Pod\n', "kubernetes"),
        ("/p/k8s/web.yaml", '"apiVersion: v1\n"kind": Pod\n', None),
        ("/p/prod/kustomization.yaml", "resources: [../base]\n", "kubernetes"),
    ],
)
def test_a_manifest_is_known_by_its_content(path: str, text: str, name: str | None) -> None:
    kind = formats.find(path, text)
    assert (kind.NAME if kind else None) == name


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/p/k8s/web.yaml", True),
        ("/p/charts/web/templates/a.yaml", True),
        ("/p/my-pod.yaml", True),
        ("/p/podcast.yaml", False),
        ("/p/kubernetes/web.json", True),
        ("/p/web-controller.json", True),
        ("/p/components/button.json", False),
        ("/p/package-lock.json", False),
        ("/p/.github/workflows/ci.yaml", False),
        ("/p/k8s/README.md", False),
    ],
)
def test_a_walk_goes_by_usual_names_and_folders(path: str, wanted: bool) -> None:
    assert (formats.find_in_tree(path) is not None) == wanted


@pytest.mark.parametrize(
    ("head", "indent"),
    [
        ("kind: Pod\nspec:\n", 2),
        ("kind: PodTemplate\ntemplate:\n  spec:\n", 4),
        ("kind: Deployment\nspec:\n  template:\n    spec:\n", 6),
        ("kind: StatefulSet\nspec:\n  template:\n    spec:\n", 6),
        ("kind: DaemonSet\nspec:\n  template:\n    spec:\n", 6),
        ("kind: ReplicaSet\nspec:\n  template:\n    spec:\n", 6),
        ("kind: ReplicationController\nspec:\n  template:\n    spec:\n", 6),
        ("kind: Job\nspec:\n  template:\n    spec:\n", 6),
        ("kind: CronJob\nspec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n", 10),
    ],
)
def test_every_kind_of_workload_has_its_pod_somewhere(head: str, indent: int) -> None:
    (container,) = read(f"apiVersion: x/v1\n{head}{' ' * indent}containers: [{{image: a}}]\n")
    assert container.image is not None and container.image.value == "a"


@pytest.mark.parametrize("kind", ["Sandbox", "SandboxTemplate"])
@pytest.mark.parametrize("group", ["agents.x-k8s.io", "extensions.agents.x-k8s.io"])
def test_the_sandboxes_of_agents_have_one_too(kind: str, group: str) -> None:
    text = (
        f"apiVersion: {group}/v1beta1\nkind: {kind}\n"
        "spec: {podTemplate: {spec: {containers: [{image: a}]}}}\n"
    )
    assert len(read(text)) == 1


@pytest.mark.parametrize(
    ("head", "below"),
    [
        ("argoproj.io/v1alpha1\nkind: Rollout", "  template:\n    spec: {0}\n"),
        ("serving.knative.dev/v1\nkind: Service", "  template:\n    spec: {0}\n"),
        ("kubevirt.example/v1\nkind: Anything", "  pools:\n    - deep: {{er: {0}}}\n"),
    ],
)
def test_a_pod_is_known_by_its_shape_in_any_other_kind(head: str, below: str) -> None:
    pod = "{hostPID: true, containers: [{image: nginx, securityContext: {privileged: true}}]}"
    text = f"apiVersion: {head}\nmetadata: {{name: web}}\nspec:\n{below.format(pod)}"
    (container,) = read(text)
    assert container.privileged is not None and container.pid is not None


@pytest.mark.parametrize(
    "spec",
    [
        "{containers: [web, db]}",
        "{containers: {type: array}}",
        "{containers: [{name: web}]}",
        "{containers: []}",
    ],
)
def test_a_list_of_other_things_is_no_pod(spec: str) -> None:
    assert read(f"apiVersion: example.com/v1\nkind: Thing\nspec: {spec}\n") == ()
    schema = "{versions: [{containers: [{image: x, name: y}]}]}"
    head = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
    assert read(f"{head}spec: {schema}\n") == ()


def test_a_look_for_a_shape_is_bounded() -> None:
    text = "apiVersion: example.com/v1\nkind: Thing\nspec:\n  a: &a [[[1, 2], 3], 4]\n"
    text += "".join(f"  k{number}: [*a, *a, *a]\n" for number in range(5000))
    assert read(text) == ()


def test_containers_of_all_three_lists_and_of_all_documents_count() -> None:
    pod = (
        HEAD
        + "  containers: [{name: a, image: a}]\n  initContainers: [{name: b, image: b}]\n"
        + "  ephemeralContainers: [{name: c, image: c}]\n"
    )
    images = [c.image.value for c in read(f"{pod}---\n{pod}") if c.image is not None]
    assert images == ["a", "b", "c", "a", "b", "c"]


@pytest.mark.parametrize(
    ("spec", "field", "value"),
    [
        ("  hostNetwork: true\n", "network", "host"),
        ("  hostPID: true\n", "pid", "host"),
        ("  hostIPC: true\n", "ipc", "host"),
        ("  runtimeClassName: gvisor\n", "runtime", "runsc"),
        ("  runtimeClassName: kata\n", "runtime", "kata"),
        ("  securityContext: {runAsUser: 7}\n", "user", "7"),
    ],
)
def test_settings_of_the_pod_count_for_its_container(spec: str, field: str, value: str) -> None:
    container = one(f"{spec}  containers:\n    - image: a\n")
    assert getattr(container, field).value == value


@pytest.mark.parametrize(
    ("below", "field", "value"),
    [
        ("securityContext: {privileged: true}", "privileged", True),
        ("securityContext: {readOnlyRootFilesystem: true}", "read_only_rootfs", True),
        ("securityContext: {runAsUser: 0}", "user", "0"),
        ("resources: {limits: {memory: 1Gi}}", "memory", "1Gi"),
        ("resources: {limits: {cpu: 2}}", "cpus", "2"),
        ("workingDir: /srv", "working_dir", "/srv"),
    ],
)
def test_settings_of_the_container(below: str, field: str, value: object) -> None:
    container = one(f"  containers:\n    - image: a\n      {below}\n")
    assert getattr(container, field).value == value


def _list(container: Container, field: str) -> list[Any]:
    return [value.value for value in getattr(container, field)]


@pytest.mark.parametrize(
    ("below", "field", "values"),
    [
        (
            "securityContext: {capabilities: {add: [cap_net_raw, ALL]}}",
            "cap_add",
            ["NET_RAW", "ALL"],
        ),
        ("securityContext: {capabilities: {drop: [ALL]}}", "cap_drop", ["ALL"]),
        ("ports: [{containerPort: 80}]", "ports", []),
        ("ports: [{containerPort: 80, hostPort: 8080}]", "ports", ["8080:80"]),
        (
            "ports: [{containerPort: 80, hostPort: 8080, hostIP: 127.0.0.1}]",
            "ports",
            ["127.0.0.1:8080:80"],
        ),
        ("env: [{name: A, value: b}, {name: C, valueFrom: {}}]", "env", [Pair("A", "b")]),
        (
            "volumeDevices: [{name: d, devicePath: /dev/xvda}]",
            "devices",
            [Device("/dev/xvda", "/dev/xvda")],
        ),
        (
            "securityContext: {allowPrivilegeEscalation: false}",
            "security_opt",
            [SecurityOption("no-new-privileges", "true")],
        ),
        (
            "securityContext: {procMount: Unmasked}",
            "security_opt",
            [SecurityOption("systempaths", "unconfined")],
        ),
        (
            "securityContext: {seccompProfile: {type: Unconfined}}",
            "security_opt",
            [SecurityOption("seccomp", "unconfined")],
        ),
        (
            "securityContext: {appArmorProfile: {type: Unconfined}}",
            "security_opt",
            [SecurityOption("apparmor", "unconfined")],
        ),
        ("securityContext: {seccompProfile: {type: RuntimeDefault}}", "security_opt", []),
    ],
)
def test_lists_of_the_container(below: str, field: str, values: list[object]) -> None:
    assert _list(one(f"  containers:\n    - image: a\n      {below}\n"), field) == values


def test_a_profile_of_the_container_goes_before_that_of_its_pod() -> None:
    container = one(
        "  securityContext: {seccompProfile: {type: Unconfined}}\n"
        "  containers:\n"
        "    - image: a\n"
        "      securityContext: {seccompProfile: {type: RuntimeDefault}}\n"
    )
    assert container.security_opt == ()


@pytest.mark.parametrize(
    ("mount", "expected"),
    [
        ("{name: host, mountPath: /in}", Mount("bind", "/var/x", "/in")),
        ("{name: host, mountPath: /in, readOnly: true}", Mount("bind", "/var/x", "/in", True)),
        ("{name: host, mountPath: /in, subPath: y}", Mount("bind", "/var/x/y", "/in")),
        (
            "{name: host, mountPath: /in, mountPropagation: Bidirectional}",
            Mount("bind", "/var/x", "/in", False, ("bind-propagation=rshared",)),
        ),
        (
            "{name: host, mountPath: /in, mountPropagation: HostToContainer}",
            Mount("bind", "/var/x", "/in", False, ("bind-propagation=rslave",)),
        ),
        ("{name: cache, mountPath: /in}", Mount("volume", "cache", "/in")),
    ],
)
def test_a_path_of_the_node_is_a_bind_mount(mount: str, expected: Mount) -> None:
    container = one(
        f"  containers:\n    - image: a\n      volumeMounts: [{mount}]\n"
        "  volumes: [{name: host, hostPath: {path: /var/x}}, {name: cache, emptyDir: {}}]\n"
    )
    assert _list(container, "mounts") == [expected]


def test_a_container_of_an_overlay_is_a_part() -> None:
    assert one("  containers:\n    - name: web\n").partial


def test_a_template_of_helm_is_named_as_not_checked() -> None:
    source = SourceText(PATH, HEAD + "  {{- if .Values.x }}\n  hostPID: true\n  {{- end }}\n")
    report = analysis.check_source(source)
    assert not report.findings
    (skipped,) = report.skipped
    assert "of Helm" in skipped.reason and "helm template" in skipped.hint


def test_definitions_of_kinds_in_a_large_file_are_left_out() -> None:
    fields = "".join(f"  field{number}: {{type: string}}\n" for number in range(30_000))
    definition = (
        f"---\nkind: CustomResourceDefinition\napiVersion: a/v1\nspec:\n  hostPID: [\n{fields}"
    )
    source = SourceText(
        PATH, f"{HEAD}  hostPID: true\n  containers: [{{name: a, image: a}}]\n{definition}"
    )
    report = analysis.check_source(source, only=("host-pid", "yaml-syntax-error"))
    (finding,) = report.findings
    assert (finding.rule, source.text[slice(*finding.place.span)]) == ("host-pid", "true")
    assert not report.skipped


def test_a_template_within_a_text_is_that_of_another_program() -> None:
    container = one('  containers:\n    - {image: a, env: [{name: A, value: "up {{ $x }}"}]}\n')
    assert _list(container, "env") == [Pair("A", "up {{ $x }}")]


def test_facts_of_this_machine_say_nothing_of_a_cluster() -> None:
    assert one("  containers:\n    - image: a\n").on_cluster


_KEYS = st.sampled_from(
    ["hostPID", "hostNetwork", "privileged", "image", "name", "runAsUser", "add", "type", "path"]
)
_SCALARS = st.sampled_from(
    ["true", "false", "0", "Unconfined", "/var/run/docker.sock", "[ALL]", ""]
)


@given(st.lists(st.tuples(_KEYS, _SCALARS), max_size=6), st.booleans())
def test_fixes_leave_sound_yaml(settings: list[tuple[str, str]], flow: bool) -> None:
    """Whatever stands where: a fixed file can be read, and each fix takes its finding away."""
    unique = dict(settings)
    if flow:
        inner = ", ".join(f"{key}: {value or 'null'}" for key, value in unique.items())
        text = f"{HEAD}  securityContext: {{{inner}}}\n  containers: [{{image: a, securityContext: {{{inner}}}}}]\n"
    else:
        lines = "".join(f"        {key}: {value}\n" for key, value in unique.items())
        text = f"{HEAD}  containers:\n    - image: a:1\n      securityContext:\n{lines}"
    fixed = fix_source(SourceText(PATH, text), unsafe=True, threshold=Severity.HINT).source
    assert not yaml.parse(fixed.text).problems
    before = analysis.check_source(SourceText(PATH, text))
    fixable = {finding.rule for finding in before.findings if finding.fixes}
    after = {finding.rule for finding in analysis.check_source(fixed).findings if finding.fixes}
    assert after <= fixable or not fixable


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HEAD + "  containers:\n" + "  - {name: a, image: b}\n" * 501, "500 containers"),
        (
            "apiVersion: v1\nkind: List\nitems:\n"
            + "- {apiVersion: v1, kind: Secret}\n" * 500
            + "- {apiVersion: v1, kind: Pod, spec: {containers: [{name: a, image: b}]}}\n",
            "500 objects",
        ),
        (
            f"all: &all [{'{name: HOME, value: /}, ' * 1000}]\n{HEAD}  containers:\n"
            + "  - {name: a, image: b, env: *all}\n" * 400,
            "50,000 settings",
        ),
        (
            f"all: &all [{'{name: v, emptyDir: {}}, ' * 1000}]\n{HEAD}  volumes: *all\n"
            + "  containers:\n"
            + "  - {name: a, image: b}\n" * 400,
            "50,000 settings",
        ),
    ],
)
def test_what_is_too_much_to_read_is_named(text: str, why: str) -> None:
    """Anchors make little text into any number of settings, and a Pod hides behind many objects."""
    containers = read(text)
    (unseen,) = containers[-1].unseen
    assert why in unseen.reason and len(containers) <= 501


def test_a_file_of_no_more_than_is_read_is_whole() -> None:
    assert not any(c.unseen for c in read(HEAD + "  containers:\n" + "  - {image: b}\n" * 500))
