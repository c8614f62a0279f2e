"""Which engine an environment means, and what travels of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine import contexts
from sandboxd.engine.contexts import VARIABLES, Identity, TlsFiles, resolve


def make_context(home: Path, name: str, endpoint: dict[str, Any], certificates: bool) -> Path:
    """A docker context, and the folder of its certificates."""
    docker, digest = home / ".docker", hashlib.sha256(name.encode()).hexdigest()
    meta = docker / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Endpoints": {"docker": endpoint}}))
    tls = docker / "contexts" / "tls" / digest / "docker"
    if certificates:
        tls.mkdir(parents=True)
    return tls


def test_variable_then_context_then_socket(own_home: Path) -> None:
    environ = {"HOME": str(own_home)}
    make_context(own_home, "work", {"Host": "unix:///work.sock"}, certificates=False)
    (own_home / ".docker/config.json").write_text('{"currentContext": "work"}')
    assert resolve(environ | {"DOCKER_HOST": "tcp://x:1"}) == Identity(
        "tcp://x:1", config=f"{own_home}/.docker"
    )
    assert resolve(environ)[:2] == ("unix:///work.sock", "work")
    assert resolve(environ | {"DOCKER_CONTEXT": "gone"})[:2] == ("context:gone", "gone")
    default = resolve(environ | {"DOCKER_CONTEXT": "default"})
    assert default.is_local and default.context is None


def test_a_config_folder_elsewhere(own_home: Path) -> None:
    make_context(own_home, "work", {"Host": "tcp://work:1"}, certificates=False)
    (own_home / ".docker/config.json").write_text('{"currentContext": "work"}')
    environ = {"HOME": "/nonexistent", "DOCKER_CONFIG": f"{own_home}/.docker"}
    assert resolve(environ)[:2] == ("tcp://work:1", "work")
    assert resolve({"HOME": "/nonexistent"}).context is None


@pytest.mark.parametrize("text", ["[]", "{", '{"currentContext": 3}', '{"currentContext": ""}'])
def test_a_broken_config_names_no_context(own_home: Path, text: str) -> None:
    (own_home / ".docker").mkdir()
    (own_home / ".docker/config.json").write_text(text)
    assert resolve({"HOME": str(own_home)}).context is None


def test_a_context_without_an_address_is_not_there(own_home: Path) -> None:
    make_context(own_home, "work", {"Host": ["tcp://x:1"]}, certificates=False)
    environ = {"HOME": str(own_home), "DOCKER_CONTEXT": "work"}
    assert resolve(environ).host == "context:work"


def test_a_context_brings_its_own_certificates(own_home: Path) -> None:
    endpoint = {"Host": "tcp://far:2376", "SkipTLSVerify": True}
    tls = make_context(own_home, "far", endpoint, certificates=True)
    environ = {"HOME": str(own_home), "DOCKER_CONTEXT": "far", "DOCKER_CERT_PATH": "/other"}
    assert resolve(environ).tls == TlsFiles(str(tls), verify=False)


@pytest.mark.parametrize(
    ("variables", "tls"),
    [
        ({}, None),
        ({"DOCKER_CERT_PATH": "/c"}, TlsFiles("/c", False)),
        ({"DOCKER_CERT_PATH": "/c", "DOCKER_TLS_VERIFY": "1"}, TlsFiles("/c", True)),
        ({"DOCKER_TLS_VERIFY": "1"}, TlsFiles("/home/me/.docker", True)),
        ({"DOCKER_TLS": "1"}, TlsFiles("/home/me/.docker", False)),
        ({"DOCKER_TLS_VERIFY": "1", "DOCKER_CONFIG": "/d"}, TlsFiles("/d", True)),
    ],
)
def test_tls_by_variables(variables: dict[str, str], tls: TlsFiles | None) -> None:
    environ = {"HOME": "/home/me", "DOCKER_HOST": "tcp://far:2376", **variables}
    assert resolve(environ).tls == tls
    assert resolve(environ | {"DOCKER_HOST": "unix:///x"}).tls is None


def test_https_means_tls() -> None:
    environ = {"HOME": "/home/me", "DOCKER_HOST": "https://far:2376"}
    assert resolve(environ).tls == TlsFiles("/home/me/.docker", True)


def test_paths_do_not_depend_on_the_folder_of_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {"DOCKER_CONFIG": "d", "DOCKER_CERT_PATH": "c", "DOCKER_HOST": "tcp://far:1"}
    assert resolve(environ) == Identity(
        "tcp://far:1", None, TlsFiles(f"{tmp_path}/c", False), f"{tmp_path}/d"
    )
    assert resolve({"DOCKER_HOST": "unix://e.sock"}).host == f"unix://{tmp_path}/e.sock"


def test_the_agent_belongs_to_engines_behind_ssh() -> None:
    environ = {"HOME": "/", "SSH_AUTH_SOCK": "/agent", "DOCKER_HOST": "ssh://me@far"}
    assert resolve(environ).agent == "/agent"
    assert resolve(environ | {"DOCKER_HOST": "tcp://far:1"}).agent == ""


IDENTITIES = [
    Identity("unix:///x", None, None, "/home/me/.docker"),
    Identity("tcp://far:2376", "far", TlsFiles("/c", True), "/home/me/.docker"),
    Identity("tcp://far:2376", None, TlsFiles("/c", False), "/d"),
    Identity("ssh://me@far", None, None, "/d", "/agent"),
]


@pytest.mark.parametrize("identity", IDENTITIES)
def test_it_travels_as_json_and_as_variables(identity: Identity) -> None:
    assert Identity.from_json(json.loads(json.dumps(identity.to_json()))) == identity
    assert resolve(identity.variables()) == identity._replace(context=None)


def test_a_program_is_led_to_the_same_engine() -> None:
    base = {
        "PATH": "/bin",
        "HOME": "/h",
        "DOCKER_CONTEXT": "x",
        "DOCKER_TLS": "1",
        "SSH_AUTH_SOCK": "/a",
    }
    assert IDENTITIES[1].environ(base) == {
        "PATH": "/bin",
        "HOME": "/h",
        "SSH_AUTH_SOCK": "/a",
        "DOCKER_HOST": "tcp://far:2376",
        "DOCKER_CONFIG": "/home/me/.docker",
        "DOCKER_CERT_PATH": "/c",
        "DOCKER_TLS_VERIFY": "1",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"host": 1},
        {"context": ["x"]},
        {"tls": True},
        {"tls": {"folder": "/c"}},
        {"tls": {"folder": 1, "verify": True}},
        {"tls": {"folder": "/c", "verify": "yes"}},
        {"more": 1},
    ],
)
def test_another_shape_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="engine"):
        Identity.from_json({**IDENTITIES[1].to_json(), **change})
    for value in (None, [], "unix:///x", {"host": "unix:///x"}):
        with pytest.raises(ValueError, match="engine"):
            Identity.from_json(value)


def test_every_variable_that_decides_is_named() -> None:
    asked = set()

    class Recorded(dict[str, str]):
        def __getitem__(self, name: str) -> str:
            asked.add(name)
            return super().__getitem__(name)

        def get(self, name: str, default: Any = None) -> Any:
            asked.add(name)
            return super().get(name, default)

    for host in ("", "unix:///x", "tcp://far:1", "ssh://far", "https://far"):
        resolve(Recorded({"DOCKER_HOST": host, "XDG_RUNTIME_DIR": "/run/user/0"}))
    source = Path(contexts.__file__).read_text()
    assert asked <= set(VARIABLES)
    assert set(re.findall(r"environ(?:\.get\(|\[)['\"](\w+)['\"]", source)) == set(VARIABLES)
    assert os.path.isabs(resolve({}).config)
