"""`setup gvisor` for an engine that does not read the system's daemon.json: refused, with the way that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandboxd.cli.setup_where import require_system_engine
from sandboxd.errors import EnvironmentFailure
from tests.unit.engine.fake_engine import PODMAN, answering_to_bodies

DOCKER = {"Components": [{"Name": "Engine", "Version": "26.1.5"}], "Version": "26.1.5"}
OF_PODMAN = {"Components": [{"Name": "Podman Engine", "Version": "5.4.2"}], "Version": "5.4.2"}


def require(home: Path, version: dict[str, Any], signature: str, *options: str) -> None:
    def answer(_method: str, target: str, _body: bytes) -> tuple[int, object]:
        if target.startswith("/version"):
            return 200, version
        return 200, {"ID": "a", "SecurityOptions": options} if "info" in target else []

    with answering_to_bodies(answer, signature) as engine:
        require_system_engine(engine.host, {"HOME": str(home), "XDG_CACHE_HOME": str(home)})


def test_a_rootless_engine_has_a_config_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="is rootless, and reads the daemon") as no:
        require(tmp_path, DOCKER, "Docker/26.1.5 (linux)", "name=rootless")
    assert "`runsc install --config_file ~/.config/docker/daemon.json" in no.value.hint
    assert "then `systemctl --user restart docker`" in no.value.hint
    assert "sudo sandboxd" not in no.value.hint


def test_podman_reads_no_such_config(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="is Podman") as no:
        require(tmp_path, OF_PODMAN, PODMAN)
    assert "podman --runtime /usr/bin/runsc" in no.value.hint


def test_the_engine_of_the_machine_is_set_up_and_one_that_is_down_may_be(tmp_path: Path) -> None:
    require(tmp_path, DOCKER, "Docker/26.1.5 (linux)", "name=seccomp,profile=builtin")
    require_system_engine("unix:///no/such.sock", {"HOME": str(tmp_path)})
