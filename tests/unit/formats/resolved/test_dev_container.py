"""What a finding about label, Feature or Dockerfile points at: the place that the user can change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandboxd.findings import Finding
from sandboxd.formats import devcontainer
from sandboxd.formats.resolved.container import effective
from sandboxd.formats.resolved.variables import Variables
from sandboxd.lint import analysis
from sandboxd.model.container import Container
from sandboxd.model.files import Files
from sandboxd.model.image_facts import ImageFacts
from sandboxd.text import SourceText

PATH = "/p/.devcontainer/devcontainer.json"
WIDE = {"base:1": ImageFacts("", json.dumps([{"privileged": True, "entrypoint": "run"}]))}
OWN = json.dumps({"id": "tool", "privileged": True, "dependsOn": {"./other": {}}})
OTHER = json.dumps({"id": "other", "mounts": ["source=/etc,target=/e,type=bind"]})


def known(files: dict[str, str], images: dict[str, ImageFacts]) -> Variables:
    texts = {f"/p/{name}": SourceText(f"/p/{name}", text) for name, text in files.items()}
    return Variables(files=Files(texts), images=images)


def read(config: dict[str, Any], files: dict[str, str], **images: ImageFacts) -> Container:
    document = devcontainer.parse(SourceText(PATH, json.dumps(config)))
    result = effective(document, known(files, images or WIDE))
    assert result is not None
    return result


def privileged(config: dict[str, Any], files: dict[str, str]) -> tuple[Finding, str]:
    """The one finding, and the text that it stands on."""
    source = SourceText(PATH, json.dumps(config))
    report = analysis.check_source(
        source, variables=known(files, WIDE), only=["privileged-container"]
    )
    [finding] = report.findings
    text = source.text if finding.place.path == PATH else files[finding.place.path[3:]]
    start, end = finding.place.span
    return finding, text[start:end]


def test_the_labels_finding_stands_on_the_image() -> None:
    finding, text = privileged({"image": "base:1"}, {})
    assert (text, finding.origin) == ("base:1", "label of image `base:1`")


def test_the_labels_finding_stands_on_the_from_of_a_dockerfile() -> None:
    files = {".devcontainer/Dockerfile": "ARG X=base:1\nFROM $X AS one\nFROM one\n"}
    finding, text = privileged({"build": {"dockerfile": "Dockerfile"}}, files)
    assert finding.place.path == "/p/.devcontainer/Dockerfile"
    assert (text, finding.origin) == ("$X", "label of image `base:1`")


def test_the_labels_finding_stands_on_the_image_of_a_service() -> None:
    files = {"compose.yaml": "services: {app: {image: 'base:1'}}"}
    finding, text = privileged({"dockerComposeFile": "../compose.yaml", "service": "app"}, files)
    assert finding.place.path == "/p/compose.yaml"
    assert (text, finding.origin) == ("base:1", "label of image `base:1`")


def test_a_features_finding_stands_on_its_name() -> None:
    files = {".devcontainer/tool/devcontainer-feature.json": OWN}
    finding, text = privileged({"image": "a", "features": {"./tool": {}}}, files)
    assert (text, finding.origin) == ("./tool", "Feature `./tool`")


def test_what_a_feature_brings_along_stands_on_the_one_that_is_named() -> None:
    files = {
        ".devcontainer/tool/devcontainer-feature.json": OWN,
        ".devcontainer/other/devcontainer-feature.json": OTHER,
    }
    container = read({"image": "a", "features": {"./tool": {}}}, files)
    [mount] = container.mounts
    assert mount.value.source == "/etc"
    assert mount.origin.describe() == "Feature `./other`"
    assert mount.place is not None
    start, end = mount.place.span
    assert json.dumps({"image": "a", "features": {"./tool": {}}})[start:end] == "./tool"


def test_features_that_wait_for_each_other_are_all_read() -> None:
    files = {
        f".devcontainer/{one}/devcontainer-feature.json": json.dumps(
            {"id": one, "capAdd": [one], "dependsOn": {f"./{other}": {}}}
        )
        for one, other in (("a", "b"), ("b", "a"))
    }
    container = read({"image": "i", "features": {"./a": {}}}, files)
    assert [cap.value for cap in container.cap_add] == ["A", "B"]


def test_a_feature_of_a_registry_that_is_brought_along_is_said_not_to_be_read() -> None:
    own = json.dumps({"id": "tool", "dependsOn": {"ghcr.io/x/y:1": {}}})
    files = {".devcontainer/tool/devcontainer-feature.json": own}
    [unseen] = read({"image": "a", "features": {"./tool": {}}}, files).unseen
    assert unseen.reason == "what its Features add is not read: `ghcr.io/x/y:1`"


def test_the_label_of_an_image_that_runs_as_somebody() -> None:
    container = read({"image": "b:1"}, {}, **{"b:1": ImageFacts("dev", "")})
    assert container.image_user is not None and container.image_user.value == "dev"
    assert container.image_label is None and container.privileged is None


def test_an_argument_that_only_the_host_knows_leaves_the_base_unknown() -> None:
    files = {".devcontainer/Dockerfile": "ARG X=base:1\nFROM $X\nARG X\nENV A=$B C=${X}\nUSER $X\n"}
    config = {"build": {"dockerfile": "Dockerfile", "args": {"X": "${localEnv:X}"}}}
    container = read(config, files)
    assert container.image_label is None
    assert [pair.value.value for pair in container.env] == ["${B}", "${localEnv:X}"]
    assert container.user is not None and container.user.value == "${localEnv:X}"


def test_an_argument_ends_with_its_stage_and_a_variable_does_not() -> None:
    text = (
        "ARG V=all\nFROM x AS one\nARG V\nARG W=arg\nENV A=$V B=$W W=env\n"
        "FROM one\nENV C=$V D=$W E=$A\n"
    )
    container = read({"build": {"dockerfile": "Dockerfile"}}, {".devcontainer/Dockerfile": text})
    values = {pair.value.name: pair.value.value for pair in container.env}
    assert values == {"A": "all", "B": "arg", "W": "env", "C": "${V}", "D": "env", "E": "all"}


@pytest.mark.parametrize(
    "text",
    [
        "FROM x\nENV A=12345678\n" + "ENV A=$A$A\n" * 60,
        "ARG A=12345678\n" + "ARG A=$A$A\n" * 60 + "FROM $A\n",
        "FROM x\nENV A=12345678\nENV B=" + "$A" * 50_000 + "\n",
        "FROM x\n" + "WORKDIR abcdefgh\n" * 10_000,
    ],
    ids=["env", "arg", "one line", "folder"],
)
def test_what_grows_line_by_line_has_an_end(text: str) -> None:
    container = read({"build": {"dockerfile": "Dockerfile"}}, {".devcontainer/Dockerfile": text})
    written = sum(len(pair.value.value) for pair in container.env)
    assert written < 2 * len(text) + 100_000
    assert container.working_dir is None or len(container.working_dir.value) <= 4096
