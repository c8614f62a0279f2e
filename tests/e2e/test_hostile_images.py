"""What an image answers never decides: neither `verify` nor `status` can be talked into a claim."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.backends.docker.attack import verify
from sandboxd.engine.client import Engine
from sandboxd.host.facts import HostFacts
from tests.e2e import hostile_images, sandboxes
from tests.e2e.sandboxes import (
    NO_APPARMOR,
    UNCONFINED,
    Change,
    capability,
    host_config,
    make_project,
    plan_of,
)

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

WEAK: list[Change] = [
    sandboxes.ROOT,
    capability("SYS_ADMIN"),
    UNCONFINED,
    NO_APPARMOR,
    host_config(PidMode="host"),
]


def test_a_lying_shell_does_not_make_a_broken_sandbox_hold(
    api: Engine, engine: str, host_facts: HostFacts, tmp_path: Path, busybox_image: str
) -> None:
    files = {"/bin/sh": hostile_images.lying_shell()}
    image = hostile_images.build(engine, "sandboxd-test/lying-shell:1", files)
    folder = make_project(tmp_path / "ws", image, "runc")
    plan = plan_of(folder, host_facts)
    with sandboxes.container(api, plan, *WEAK) as container:
        verdict = verify(api, container, plan)
    assert {"proc-mount", "host-process-visible", "swap"} <= sandboxes.escaped(verdict)
    assert verdict.exit_code == 6


FORGED = b"import os, sys\nos.write(1, b'FORGED')\nos._exit(0)\n"


@pytest.mark.parametrize(
    ("files", "changes"),
    [
        ({"/json.py": FORGED, "/ctypes.py": FORGED, "/select.py": FORGED}, ()),
        ({"/evil/json.py": FORGED}, ("ENV PYTHONPATH=/evil PYTHONHOME=/evil",)),
        ({"/etc/ld.so.preload": b"/evil.so\n", "/evil.so": b"no library"}, ()),
        ({"/etc/ld.so.preload": b"/evil.so\n"}, ("ENV LD_PRELOAD=/evil.so LD_AUDIT=/evil.so",)),
        ({"/evil": b"#!/bin/sh\necho FORGED\n"}, ('ENTRYPOINT ["/evil"]',)),
        ({"/bin/sh": FORGED}, ("HEALTHCHECK --interval=1s CMD touch /workspace/healthcheck-ran",)),
    ],
    ids=["modules at the root", "PYTHONPATH", "preload", "LD_PRELOAD", "entrypoint", "healthcheck"],
)
def test_nothing_of_the_image_is_loaded(
    engine: str,
    tmp_path: Path,
    busybox_image: str,
    files: dict[str, bytes],
    changes: tuple[str, ...],
) -> None:
    tag = f"sandboxd-test/loads-{abs(hash((*files, *changes)))}:1"
    image = hostile_images.build(engine, tag, files, changes)
    folder = make_project(tmp_path / "ws", image, "runc")
    done = sandboxes.run(engine, folder, "verify", "--fresh", "--json")
    assert done.returncode == 0, done.stderr
    assert "FORGED" not in done.stdout + done.stderr
    assert json.loads(done.stdout)["held"] is True


def test_a_volume_of_the_image_over_our_modules_is_refused(
    engine: str, tmp_path: Path, busybox_image: str
) -> None:
    files = {f"/.sandboxd-verify/modules/{name}.py": FORGED for name in ("json", "os", "encodings")}
    volume = ('VOLUME ["/.sandboxd-verify/modules"]',)
    image = hostile_images.build(engine, "sandboxd-test/volume:1", files, volume)
    folder = make_project(tmp_path / "ws", image, "runc")
    done = sandboxes.run(engine, folder, "verify", "--fresh")
    assert done.returncode == 4
    assert "mounts of its own that no plan asks for: /.sandboxd-verify/modules" in done.stderr
    assert "held" not in done.stdout
