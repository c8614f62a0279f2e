"""A generated list for gVisor is no finding, and is one as soon as it says anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.data import data_path
from sandboxd.lint import analysis
from sandboxd.text import SourceText

LISTS = sorted(Path(data_path("profiles", "seccomp")).glob("*-runsc.json"))
GENERATED = "/w/.devcontainer/sandboxd/seccomp.json"


def rule_ids(path: str, text: str) -> set[str]:
    report = analysis.check_source(SourceText(path, text))
    return {finding.rule for finding in report.findings}


@pytest.mark.parametrize("list_file", LISTS, ids=lambda path: path.name)
def test_as_it_was_written(list_file: Path) -> None:
    assert rule_ids(GENERATED, list_file.read_text()) == set()
    assert "seccomp-default-allow" in rule_ids("/w/seccomp.json", list_file.read_text())


@pytest.mark.parametrize("list_file", LISTS, ids=lambda path: path.name)
def test_with_one_call_less(list_file: Path) -> None:
    profile = json.loads(list_file.read_text())
    profile["syscalls"][0]["names"].pop()
    assert "seccomp-default-allow" in rule_ids(GENERATED, json.dumps(profile))


def test_what_is_generated_of_a_compose_project_is_judged_with_the_project() -> None:
    text = "services: {app: {image: 'a:1', privileged: true}}\n"
    own = "/w/.devcontainer/sandboxd/docker-compose.sandboxd.yml"
    assert rule_ids(own, text) == set()
    assert "privileged-container" in rule_ids("/w/.devcontainer/docker-compose.sandboxd.yml", text)
