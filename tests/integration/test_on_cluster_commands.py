"""Commands with `--on` on a machine whose cluster is not there, or knows nothing: words and exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.forked import run_forked
from tests.integration.commands import Result
from tests.integration.stub_cluster import StubCluster
from tests.patience import PATIENCE


@pytest.fixture
def project(tmp_path: Path, stub: StubCluster) -> Path:
    (tmp_path / "sandboxd.toml").write_text('image = "some/image:1"\n')
    (tmp_path / "kubeconfig").write_text(json.dumps(stub.kubeconfig()))
    return tmp_path


def sandboxd(folder: Path, *arguments: str) -> Result:
    environ = {
        **os.environ,
        "KUBECONFIG": str(folder / "kubeconfig"),
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "XDG_STATE_HOME": str(folder / "state"),
    }
    return Result(run_forked(arguments, cwd=folder, env=environ, timeout=2 * PATIENCE))


@pytest.mark.parametrize("option", [("--kept",), ("--restore",), ("--restore", "a/file")])
def test_what_is_about_a_copy_that_is_kept_the_same_is_refused(
    project: Path, option: tuple[str, ...]
) -> None:
    result = sandboxd(project, "review", "--on", "stub", *option)
    assert result.code == 2 and f"`{option[0]}` does not go with `--on`" in result.err, result.err
    assert "`--apply`" in result.err and result.out == ""


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--on", "stub"), 4, "no sandbox of this project runs in the namespace `default` of `stub`"),
        (("--on", "other"), 2, "`other`"),
        (("--on", "stub", "--fresh"), 2, "`--fresh` does not go with `--on`"),
        (("--on", "stub", "--container", "x"), 2, "`--container` does not go with `--on`"),
        (("--on", "stub", "--report", "x.pdf"), 2, "x.pdf"),
    ],
)  # fmt: skip
def test_verify_says_what_is_missing_and_makes_nothing(
    project: Path, stub: StubCluster, words: tuple[str, ...], code: int, message: str
) -> None:
    result = sandboxd(project, "verify", *words)
    assert result.code == code and message in result.err and "hint:" in result.err, result.err
    assert result.out == "" and "Traceback" not in result.err
    assert stub.made == []
