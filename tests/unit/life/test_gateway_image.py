"""The image of a gateway: made once, known by its id, and refused in words where it cannot be had."""

from __future__ import annotations

import importlib.util
import json
from typing import Any
from urllib.parse import unquote

import pytest

from sandboxd.engine.payload import gateway_image as payload
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import gateway_image
from tests.unit.engine.fake_engine import answering

NAMED = "corp.example/gateway@sha256:" + "0" * 64


class Served:
    """An engine that takes images, and gives the last one the id `sha256:N`."""

    def __init__(self, os: str = "linux", arch: str = "") -> None:
        machine = gateway_image.platform.machine()
        self.version = {
            "Os": os,
            "Arch": arch or gateway_image._ARCHITECTURES.get(machine, machine),
        }
        self.ids: dict[str, str] = {}
        self.imports = 0

    def __call__(self, method: str, target: str) -> tuple[int, object]:
        if target == "/version":
            return 200, self.version
        if method == "POST":
            self.imports += 1
            self.ids[f"sha256:{self.imports}"] = ""
            return 200, {"status": "imported"}
        if target.startswith("/images/json"):
            return 200, []
        name = unquote(target).removeprefix("/images/").removesuffix("/json")
        if name.startswith(f"{gateway_image.NAME}:"):
            return 200, {"Id": f"sha256:{self.imports}"}
        if name in self.ids or name == NAMED:
            return 200, {"Id": name}
        return 404, {"message": f"No such image: {name}"}


@pytest.fixture(autouse=True)
def small_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "archive", lambda _cache: b"tar")


def ensure(served: Served, named: str = "") -> str:
    with answering(served) as engine:
        # Each is at another address; what was noted of one must be that of the next.
        engine.host = "unix:///one.sock"
        return gateway_image.ensure(engine, named, lambda _text: None)


def test_the_image_is_made_once() -> None:
    served = Served()
    assert [ensure(served), ensure(served)] == ["sha256:1", "sha256:1"]
    assert served.imports == 1


def test_one_that_is_gone_is_made_again() -> None:
    served = Served()
    ensure(served)
    served.ids.clear()
    assert ensure(served) == "sha256:2"


def test_an_image_that_only_has_the_name_is_not_used() -> None:
    """A repository's Compose file can give its own image any name."""
    served = Served()
    served.ids["sha256:0"] = ""
    assert ensure(served) == "sha256:1"


@pytest.mark.parametrize("version", [{"os": "windows"}, {"arch": "riscv64"}])
def test_another_system_gets_the_image_that_the_policy_names(version: dict[str, Any]) -> None:
    served = Served(**version)
    assert ensure(served, NAMED) == NAMED
    with pytest.raises(EnvironmentFailure, match="no gateway can be started") as refused:
        ensure(served)
    assert "gateway_image = " in refused.value.hint
    assert "sha256:..." in refused.value.hint, "no digest is made up"
    assert served.imports == 0


def test_a_named_image_that_is_not_there_is_said() -> None:
    missing = NAMED.replace("0", "1")
    with pytest.raises(EnvironmentFailure, match="has no image") as refused:
        ensure(Served(arch="riscv64"), missing)
    assert f"docker pull {missing}" in refused.value.hint


def test_the_archive_brings_the_program_and_nothing_of_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import io
    import tarfile

    monkeypatch.undo()
    with tarfile.open(fileobj=io.BytesIO(payload.archive(None))) as tar:
        entries = {entry.name: entry for entry in tar}
    home = payload.HOME.lstrip("/")
    for name in ("python", "loader", "modules/h11/__init__.pyc", "modules/asyncio/__init__.pyc"):
        assert f"{home}/{name}" in entries
    assert f"{home}/modules/sandboxd/egress/gateway/main.pyc" in entries
    # Of sandboxd only what decides about names; of the system no other program.
    ours = [name for name in entries if "/sandboxd/" in name and "/egress/" not in name]
    assert ours == [f"{home}/modules/sandboxd/__init__.pyc"]
    assert all(entry.mode & 0o022 == 0 and not entry.mode & 0o6000 for entry in entries.values())
    assert json.dumps(payload.command("a")).count("sandboxd.egress.gateway.main") == 1


def test_a_python_without_ssl_is_named_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "_ssl" else find_spec(name)
    )
    served = Served()
    with pytest.raises(EnvironmentFailure, match="has no `ssl`") as caught:
        ensure(served)
    assert "gateway_image" in caught.value.hint and served.imports == 0
    assert ensure(Served(), NAMED) == NAMED
