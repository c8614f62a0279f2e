"""A devcontainer.json with the files that it leaves most to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandboxd import formats
from sandboxd.findings import Report
from sandboxd.formats.resolved.container import effective
from sandboxd.formats.resolved.variables import Variables
from sandboxd.lint import analysis
from sandboxd.model.container import Container
from sandboxd.model.files import Files
from sandboxd.text import SourceText

PATH = "/p/.devcontainer/devcontainer.json"


def variables(files: dict[str, str]) -> Variables:
    texts = {f"/p/{name}": SourceText(f"/p/{name}", text) for name, text in files.items()}
    return Variables(files=Files(texts))


def read(config: dict[str, Any], files: dict[str, str]) -> Container:
    document = formats.get("devcontainer").parse(SourceText(PATH, json.dumps(config)))
    result = effective(document, variables(files))
    assert result is not None
    return result


def check(config: dict[str, Any], files: dict[str, str], *rules: str) -> Report:
    source = SourceText(PATH, json.dumps(config))
    return analysis.check_source(source, variables=variables(files), only=rules)


COMPOSE = {"dockerComposeFile": "../compose.yaml", "service": "app"}


def test_the_file_is_merged_over_its_service() -> None:
    service = "services: {app: {image: i, user: a, cap_add: [X], pid: host, volumes: ['/a:/a']}}"
    config = {
        **COMPOSE,
        "containerUser": "b",
        "capAdd": ["Y"],
        "privileged": True,
        "securityOpt": ["seccomp=unconfined"],
        "containerEnv": {"K": "v"},
    }
    container = read(config, {"compose.yaml": service})
    assert container.user is not None and container.user.value == "b"
    assert [cap.value for cap in container.cap_add] == ["X", "Y"]
    assert container.is_privileged() and container.pid is not None
    assert [mount.value.target for mount in container.mounts] == ["/a"]
    assert container.is_whole()


def test_what_the_tools_drop_for_compose_is_dropped() -> None:
    config = {
        **COMPOSE,
        "runArgs": ["--privileged", "--cap-drop=ALL"],
        "appPort": 80,
        "workspaceMount": "source=/,target=/w,type=bind",
        "mounts": ["source=/a,target=/b,type=bind,readonly"],
    }
    container = read(config, {"compose.yaml": "services: {app: {image: i}}"})
    assert not container.is_privileged() and not container.drops_all() and not container.ports
    (mount,) = container.mounts
    assert (mount.value.source, mount.value.read_only) == ("/a", False)


def test_later_compose_files_win_and_relative_paths_are_the_first_ones() -> None:
    config = {"dockerComposeFile": ["../a/one.yml", "two.yml"], "service": "app"}
    files = {
        "a/one.yml": "services: {app: {image: i, privileged: true, volumes: ['./x:/x']}}",
        ".devcontainer/two.yml": "services: {app: {privileged: false, volumes: ['./y:/y']}}",
    }
    container = read(config, files)
    assert not container.is_privileged()
    assert [mount.value.source for mount in container.mounts] == ["/p/a/x", "/p/a/y"]


@pytest.mark.parametrize(
    ("config", "files", "reason"),
    [
        (COMPOSE, {}, "`../compose.yaml` does not exist"),
        (COMPOSE, {"compose.yaml": "services: {other: {image: i}}"}, "there is no service `app`"),
        ({"build": {"dockerfile": "D"}}, {}, "`D` does not exist"),
    ],
)
def test_what_cannot_be_read_is_said(
    config: dict[str, Any], files: dict[str, str], reason: str
) -> None:
    report = check(config, files, "cap-drop-missing")
    assert any(reason in skipped.reason for skipped in report.skipped)


def test_without_any_files_it_is_said_that_they_were_not_read() -> None:
    source = SourceText(PATH, json.dumps(COMPOSE))
    report = analysis.check_source(source)
    assert ["is not read" in skipped.reason for skipped in report.skipped] == [True]


def test_only_services_that_are_started_stand_beside() -> None:
    text = "services: {app: {image: i}, db: {image: d}, tool: {image: t}}"
    files = {"compose.yaml": text}
    assert [s.name for s in read(COMPOSE, files).sidecars] == ["db", "tool"]
    chosen = read({**COMPOSE, "runServices": ["db"]}, files)
    assert [s.name for s in chosen.sidecars] == ["db"]


def test_a_dockerfile_says_who_runs_where_nothing_else_does() -> None:
    files = {
        ".devcontainer/Dockerfile": (
            "FROM a AS base\nENV X=1\nUSER dev\nWORKDIR /w\nFROM base AS last\nENV X=2\nUSER root\n"
        )
    }
    container = read({"build": {"dockerfile": "Dockerfile"}}, files)
    assert container.user is not None and container.user.value == "root"
    assert container.user.origin.describe() == "Dockerfile `.devcontainer/Dockerfile`"
    assert [pair.value.value for pair in container.env] == ["1", "2"]
    staged = read({"build": {"dockerfile": "Dockerfile", "target": "base"}}, files)
    assert staged.user is not None and staged.user.value == "dev"
    named = read({"build": {"dockerfile": "Dockerfile"}, "containerUser": "me"}, files)
    assert named.user is not None and named.user.value == "me"


@pytest.mark.parametrize(
    "config",
    [
        {"dockerFile": "../Dockerfile"},
        {"build": {"dockerfile": "../Dockerfile", "context": "../x"}},
        {"build": {"dockerfile": "Dockerfile"}, "dockerFile": "no"},
    ],
)
def test_the_dockerfile_is_found_beside_the_config(config: dict[str, Any]) -> None:
    text = "FROM a\nUSER dev\n"
    container = read(config, {"Dockerfile": text, ".devcontainer/Dockerfile": text})
    assert container.user is not None


# Findings that stand elsewhere


def test_a_finding_stands_in_the_file_that_can_be_changed_once() -> None:
    text = "services:\n  app:\n    image: i\n    privileged: true\n"
    known = variables({"compose.yaml": text})
    documents = [
        formats.get("devcontainer").parse(SourceText(PATH, json.dumps(COMPOSE))),
        formats.get("compose").parse(SourceText("/p/compose.yaml", text)),
    ]
    report = analysis.check(documents, variables=known, only=["privileged-container"])
    (finding,) = report.findings
    assert finding.place.path == "/p/compose.yaml"
    assert [fix.path for fix in finding.fixes] == ["/p/compose.yaml"]
    alone = analysis.check(documents[:1], variables=known, only=["privileged-container"])
    assert [at_service.place.path for at_service in alone.findings] == ["/p/compose.yaml"]
    assert set(alone.sources) == {PATH, "/p/compose.yaml"}
    assert [at_service.fixes for at_service in alone.findings] == [()]


def test_the_comments_of_that_file_allow_it() -> None:
    text = "services:\n  app:\n    image: i\n    privileged: true # sandboxd: allow privileged-container -- a VM\n"
    report = check(COMPOSE, {"compose.yaml": text}, "privileged-container")
    (finding,) = report.findings
    assert finding.suppressed is not None and finding.suppressed.reason == "a VM"
