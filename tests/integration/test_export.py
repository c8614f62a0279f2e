"""`sandboxd export`: objects on standard output, what they do not hold on standard error."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.integration.commands import sandboxd
from tests.integration.stub_cluster import StubCluster

GATEWAY = ("--gateway-image", "python:3-slim", "--gateway-address", "10.96.200.1")
CLASS = ("--runtime-class", "gvisor")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "weather"
    root.mkdir()
    (root / "requirements.txt").write_text("requests\n")
    assert sandboxd("init", root, "--image", "img:1").code == 0
    return root


@pytest.fixture(params=[(), ("--sandbox", *CLASS)], ids=["pod", "sandbox"])
def manifest(project: Path, request: pytest.FixtureRequest) -> Path:
    done = sandboxd("export", "kubernetes", project, *GATEWAY, *request.param)
    assert done.code == 0, done.err
    file = project.parent / "weather.yaml"
    file.write_text(done.out)
    return file


def test_our_own_rules_find_nothing_in_it(manifest: Path) -> None:
    done = sandboxd("check", manifest)
    assert done.code == 0
    assert done.out.startswith("no error or warning in 1 file; hints:")
    pedantic = sandboxd("check", manifest, "--pedantic", "--format", "json")
    found = {each["rule"] for each in json.loads(pedantic.out)["findings"]}
    assert found <= {"image-unpinned"}, "which images there are, the user says"


def test_what_is_not_in_force_is_said_on_standard_error(project: Path) -> None:
    done = sandboxd("export", "kubernetes", project, *GATEWAY)
    assert done.out.startswith("# Profile `dev` of sandboxd, for Kubernetes")
    screen = " ".join(done.err.split())
    assert "not in force gVisor: no RuntimeClass is named" in screen
    assert "--null -T - | kubectl exec -i sandboxd-weather-" in screen
    assert max(len(line) for line in done.err.splitlines()) <= 80


def test_the_allowed_names_are_those_of_the_projects_files(project: Path) -> None:
    done = sandboxd("export", "kubernetes", project, *GATEWAY)
    (policy,) = (
        json.loads(each["data"]["policy.json"])["policy"]
        for each in yaml.safe_load_all(done.out)
        if each["kind"] == "ConfigMap" and "data" in each
    )
    assert {"group pypi"} == {rule["source"] for rule in policy["rules"]}


def test_the_same_project_gives_the_same_bytes(project: Path) -> None:
    first, second = (sandboxd("export", "kubernetes", project, *GATEWAY) for _ in range(2))
    assert first.out == second.out


def test_a_second_sandbox_of_the_project_has_objects_of_its_own(project: Path) -> None:
    first, second = (
        {each["metadata"]["name"] for each in yaml.safe_load_all(done.out)}
        for done in (
            sandboxd("export", "kubernetes", project, *GATEWAY, *words)
            for words in ((), ("--name", "second"))
        )
    )
    assert len(first) == len(second) and not first & second
    assert any(name.startswith("sandboxd-weather-second-") for name in second)
    refused = sandboxd("export", "kubernetes", project, *GATEWAY, "--name", "A b")
    assert refused.code == 2 and "is no name of a sandbox" in refused.err


def test_the_filter_is_written_for_each_architecture_and_named_with_its_place(
    project: Path,
) -> None:
    folder = project.parent / "filters"
    done = sandboxd("export", "kubernetes", project, *GATEWAY, "--seccomp-files", folder)
    assert done.code == 0, done.err
    assert "--seccomp-profile sandboxd/dev-runc.json" in " ".join(done.err.split())
    files = [folder / architecture / "dev-runc.json" for architecture in ("amd64", "arm64")]
    assert [json.loads(file.read_text())["architectures"][0] for file in files] == [
        "SCMP_ARCH_X86_64",
        "SCMP_ARCH_AARCH64",
    ]
    blocked = sandboxd("export", "kubernetes", project, *GATEWAY, "--seccomp-files", files[0])
    assert (blocked.code, blocked.out) == (4, "") and "hint: name another" in blocked.err


@pytest.mark.parametrize(
    ("profile", "arguments", "message"),
    [
        ("dev", (), "no image is named for that"),
        (
            "agent",
            GATEWAY,
            "the plan by profile `agent` needs gVisor, and no RuntimeClass is named",
        ),
        (
            "untrusted",
            (),
            "the plan by profile `untrusted` needs gVisor, and no RuntimeClass is named",
        ),
    ],
)
def test_what_is_missing_is_said_with_the_option(
    tmp_path: Path, profile: str, arguments: tuple[str, ...], message: str
) -> None:
    assert sandboxd("init", tmp_path, "--image", "img:1", "--profile", profile).code == 0
    done = sandboxd("export", "kubernetes", tmp_path, *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err and "hint: name one" in done.err


def test_a_project_that_is_built_names_the_option_for_its_image(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM img:1\n")
    (tmp_path / ".devcontainer.json").write_text('{"build": {"dockerfile": "Dockerfile"}}')
    done = sandboxd("export", "kubernetes", tmp_path, *GATEWAY)
    assert done.code == 2 and "`--image NAME`" in done.err
    done = sandboxd("export", "kubernetes", tmp_path, *GATEWAY, "--image", "team/weather:1")
    assert done.code == 0 and "image: team/weather:1" in done.out


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables for a kubectl whose API server knows the kinds of objects, and makes none."""
    server = StubCluster()
    config = tmp_path / "kubeconfig"
    config.write_text(json.dumps(server.kubeconfig()))
    yield {**os.environ, "KUBECONFIG": str(config), "HOME": str(tmp_path)}
    server.close()
    assert server.made == []


def test_kubectl_reads_the_objects_as_they_are(manifest: Path, cluster: dict[str, str]) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl: NO OTHER READER OF THE OBJECTS WAS ASKED")
    done = subprocess.run(
        ["kubectl", "create", "--dry-run=client", "--validate=false", "-o", "json", "-f", str(manifest)],
        env=cluster, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ours = list(yaml.safe_load_all(manifest.read_text()))
    for each in ours:
        each["metadata"].setdefault("namespace", "default")
    decoder, rest, theirs = json.JSONDecoder(), done.stdout.lstrip(), []
    while rest:
        each, end = decoder.raw_decode(rest)
        theirs.append(each)
        rest = rest[end:].lstrip()
    assert theirs == ours


def test_an_image_may_be_named_by_the_command_alone(tmp_path: Path) -> None:
    project = tmp_path / "weather"
    project.mkdir()
    (project / "sandboxd.toml").write_text('profile = "dev"\n[network]\nmode = "none"\n')
    refused = sandboxd("export", "kubernetes", project, *GATEWAY)
    assert refused.code == 2 and "no image is named" in refused.err
    done = sandboxd("export", "kubernetes", project, *GATEWAY, "--image", "registry.example/a:1")
    assert done.code == 0, done.err
    assert "image: registry.example/a:1" in done.out.replace('"', "")
