"""`sandboxd check` on projects with Compose files and Dockerfiles, as a process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.checking import as_json, check
from tests.integration.test_hostile_input import limited

COMPOSE = """services:
  app: # the editor's
    build: { context: .., dockerfile: .devcontainer/Dockerfile }
    volumes:
      - ..:/workspace
      - /var/run/docker.sock:/var/run/docker.sock # to build
  db:
    image: postgres:16
    privileged: true
"""
DOCKERFILE = "FROM debian:12\nRUN --security=insecure true\nUSER root\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / ".devcontainer"
    folder.mkdir(parents=True)
    (folder.parent / ".git").mkdir()
    config = {"dockerComposeFile": "docker-compose.yml", "service": "app"}
    (folder / "devcontainer.json").write_text(json.dumps(config))
    (folder / "docker-compose.yml").write_text(COMPOSE)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    return folder.parent


def rules(project: Path, *arguments: str) -> list[tuple[str, str, int]]:
    data = as_json(check(project, "--format", "json", *arguments))
    return sorted((f["rule"], f["path"].rpartition("/")[2], f["line"]) for f in data["findings"])


ERRORS = [
    ("docker-socket-mounted", "docker-compose.yml", 6),
    ("dockerfile-run-insecure", "Dockerfile", 2),
    ("privileged-container", "docker-compose.yml", 9),
]


def test_a_tree_is_judged_as_one_project_and_each_finding_said_once(project: Path) -> None:
    names = rules(project)
    assert [finding for finding in names if finding in ERRORS] == ERRORS


def test_the_config_alone_leads_to_what_it_names(project: Path) -> None:
    names = rules(project, ".devcontainer/devcontainer.json")
    assert names == ERRORS[:1]
    done = check(project, ".devcontainer/devcontainer.json")
    assert "/var/run/docker.sock:/var/run/docker.sock # to build" in done.stdout


def test_fixes_are_made_in_all_files_and_seen_by_all(project: Path) -> None:
    done = check(project, "--fix", "--unsafe")
    assert done.returncode in (0, 1)
    left = rules(project)
    assert [finding for finding in left if finding in ERRORS] == []
    text = (project / ".devcontainer/docker-compose.yml").read_text()
    assert text == COMPOSE.replace(
        "      - /var/run/docker.sock:/var/run/docker.sock # to build\n", ""
    ).replace("    privileged: true\n", "")
    assert (project / ".devcontainer/Dockerfile").read_text() == DOCKERFILE.replace(
        "--security=insecure ", ""
    )
    assert check(project, "--fix", "--unsafe", "--diff").stdout == ""
    assert [line for line in done.stdout.splitlines() if "docker-socket-mounted]" in line] == []


def test_a_comment_allows_a_finding_for_both_files_that_lead_to_it(project: Path) -> None:
    file = project / ".devcontainer/docker-compose.yml"
    allow = "# sandboxd: allow docker-socket-mounted -- rootless engine"
    file.write_text(COMPOSE.replace("# to build", allow))
    data = as_json(check(project, "--format", "json"))
    states = [f["suppressed"] for f in data["findings"] if f["rule"] == "docker-socket-mounted"]
    assert [state["reason"] for state in states] == ["rootless engine"]


def test_what_lies_outside_of_the_project_is_not_read(project: Path) -> None:
    for name in ("other.yml", "third.yml"):
        (project.parent / name).write_text("services: {x: {image: i, privileged: true}}\n")
    (project / "link.yml").symlink_to(project.parent / "third.yml")
    (project / "compose.yaml").write_text(
        "include: [../other.yml, ./link.yml]\nservices: {a: {image: i}}\n"
    )
    data = as_json(check(project, "--format", "json", "compose.yaml"))
    reasons = [skipped["reason"] for skipped in data["skipped"]]
    assert reasons == [
        "`../other.yml` lies outside of the project",
        "`../third.yml` lies outside of the project",
    ]
    assert all(f["path"].endswith("compose.yaml") for f in data["findings"])


def test_what_env_files_hold_is_in_no_output(project: Path) -> None:
    secret = "s3cr3t-of-the-env-file"
    (project / ".env").write_text(f"PASSWORD={secret}\n")
    (project / "compose.yaml").write_text(
        "services:\n  a:\n    image: i:${PASSWORD}\n    env_file: .env\n    pid: host\n"
        "    environment: { DB_PASSWORD: '${PASSWORD}' }\n    build: { args: ['T=${PASSWORD}'] }\n"
    )
    for form in ("text", "json", "sarif"):
        done = check(project, "--pedantic", "--format", form, "compose.yaml")
        assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [" + ",".join(["*a"] * 1000) + "]\nservices: *a\n",
        "services: &s\n  a: { extends: b, image: i, <<: *s }\n  b: { extends: a }\n",
        "include: [docker-compose.yml, ./docker-compose.yml]\n",
        "services: " + "{a: " * 50_000,
        "services:\n" + "".join(f"  s{n}: {{image: i, privileged: true}}\n" for n in range(6_000)),
        "\0\0services: {a: {image: i}}",
    ],
    ids=["alias cycle", "extends cycle", "include cycle", "deep", "many", "NUL"],
)
def test_hostile_files_take_bounded_time(tmp_path: Path, text: str) -> None:
    (tmp_path / "docker-compose.yml").write_text(text)
    (tmp_path / "Dockerfile").write_text("FROM a\n")
    _, data = limited(tmp_path, "--pedantic")
    assert data["files"] == 2
