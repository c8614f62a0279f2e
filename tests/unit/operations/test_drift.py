"""A comparison may be asked for without a way to call it off."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from sandboxd.backends.docker.backend import DockerBackend
from sandboxd.engine import failures
from sandboxd.engine.client import Engine
from sandboxd.operations.drift import drift
from tests.unit.plan.examples import GVISOR


def test_without_a_sandbox_there_is_nothing_to_compare(tmp_path: Path) -> None:
    (tmp_path / "sandboxd.toml").write_text('image = "x"\n')
    engine = cast("Engine", SimpleNamespace(containers=lambda *_labels, **_more: []))
    with pytest.raises(failures.ContainerGone):
        drift(DockerBackend(engine, {}), str(tmp_path), {}, facts=lambda: GVISOR)
