"""Features: names, what a project's own ask for, and its file by itself."""

from __future__ import annotations

import pytest

from sandboxd.formats import devcontainer
from sandboxd.formats.resolved.container import effective
from sandboxd.formats.resolved.variables import Variables
from sandboxd.lint import analysis
from sandboxd.model.container import Container
from sandboxd.model.feature import asks, parse
from sandboxd.model.files import Files
from sandboxd.text import SourceText

CONFIG = "/project/.devcontainer/devcontainer.json"
OWN = '{"id": "tool", "privileged": true, "capAdd": ["SYS_ADMIN"], "securityOpt": ["%s"]}'


def read(text: str, files: dict[str, str]) -> Container:
    known = {f"/project/{path}": SourceText(f"/project/{path}", t) for path, t in files.items()}
    document = devcontainer.parse(SourceText(CONFIG, text))
    result = effective(document, Variables(files=Files(known)))
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("name", "id_", "version", "source"),
    [
        ("ghcr.io/devcontainers/features/node:1", "ghcr.io/devcontainers/features/node", "1", "registry"),
        ("GHCR.io/A/b@sha256:00", "ghcr.io/a/b", "sha256:00", "registry"),
        ("localhost:5000/a/b:1", "localhost:5000/a/b", "1", "registry"),
        ("./tool", "./tool", "", "local"),
        ("https://x.example/a.tgz", "https://x.example/a.tgz", "", "tarball"),
        ("node", "node", "", "legacy"),
        ("o/r/tool@v1", "o/r/tool", "v1", "legacy"),
    ],
)  # fmt: skip
def test_names(name: str, id_: str, version: str, source: str) -> None:
    assert parse(name)[:3] == (id_, version, source)


def test_the_official_features_are_known_by_what_they_ask_for() -> None:
    assert asks(parse("ghcr.io/devcontainers/features/docker-in-docker:2")) == ("privileged",)
    for name in ("go", "rust"):
        asked = asks(parse(f"ghcr.io/devcontainers/features/{name}:1"))
        assert asked == ("SYS_PTRACE", "seccomp=unconfined")
    outside = asks(parse("ghcr.io/devcontainers/features/docker-outside-of-docker:1"))
    assert outside == ("/var/run/docker.sock", "label=disable")
    assert asks(parse("ghcr.io/devcontainers/features/node:1")) == ()
    assert asks(parse("ghcr.io/devcontainers/features/no-such:1")) is None
    assert asks(parse("ghcr.io/someone/features/node:1")) is None
    # As long as the official name.
    assert asks(parse("ghcr.io/impostor-name/features/node:1")) is None


def test_a_feature_of_the_project_is_merged_between_run_args_and_the_files_own_options() -> None:
    text = (
        '{"image": "a", "features": {"./tool": {}}, "securityOpt": ["no-new-privileges=true"],'
        ' "runArgs": ["--security-opt=seccomp=mine.json", "--security-opt=no-new-privileges=false"]}'
    )
    files = {".devcontainer/tool/devcontainer-feature.json": OWN % "seccomp=unconfined"}
    container = read(text, files)
    assert container.is_privileged()
    assert (
        container.privileged is not None
        and container.privileged.origin.describe() == "Feature `./tool`"
    )
    seccomp, privileges = container.option("seccomp"), container.option("no-new-privileges")
    assert seccomp is not None and seccomp.value.value == "unconfined"
    assert privileges is not None and privileges.value.value == "true"
    assert seccomp.place is not None
    start, end = seccomp.place.span
    assert text[start:end] == "./tool"
    assert container.unseen == ()


@pytest.mark.parametrize(
    "hook",
    ["onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand", "postAttachCommand"],
)  # fmt: skip
def test_each_hook_of_a_feature_is_a_command_that_runs_inside(hook: str) -> None:
    own = f'{{"id": "tool", "{hook}": {{"a": "make", "b": ["npm", "ci"]}}}}'
    files = {".devcontainer/tool/devcontainer-feature.json": own}
    container = read('{"image": "a", "features": {"./tool": {}}}', files)
    assert [command.value for command in container.lifecycle] == ["make", "npm ci"]


def test_what_cannot_be_read_is_said() -> None:
    text = '{"image": "a", "features": {"./gone": {}, "ghcr.io/x/y:1": {}}}'
    [unseen] = read(text, {}).unseen
    assert unseen.reason == "what its Features add is not read: `./gone`, `ghcr.io/x/y:1`"


def test_the_file_of_a_feature_is_judged_by_the_rules_of_containers() -> None:
    source = SourceText("/project/tool/devcontainer-feature.json", OWN % "seccomp=unconfined")
    report = analysis.check_source(source)
    rules = {finding.rule for finding in report.findings}
    assert {"privileged-container", "cap-add-sys-admin", "seccomp-unconfined"} <= rules
    assert "no-new-privileges-missing" not in rules


@pytest.mark.parametrize("text", ['{"features"{"', '{"features": {"ghcr.io/a/b', '{"features":{"x'])
def test_a_half_typed_name_is_shown_within_the_text(text: str) -> None:
    report = analysis.check_source(SourceText(CONFIG, text))
    assert all(finding.place.span.end <= len(text) for finding in report.findings)
    assert all(finding.place.span.start <= finding.place.span.end for finding in report.findings)
