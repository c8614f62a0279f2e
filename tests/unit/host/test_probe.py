"""The probe against engines that are absent, broken, slow, or played by a thread of the test."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any

import pytest

from sandboxd.host import probe as probing
from sandboxd.host import trials
from sandboxd.host.advisories.versions import versions
from sandboxd.host.facts import Engine, HostFacts
from sandboxd.host.probe import raw_facts
from tests.patience import PATIENCE


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is a thread of ours, which a busy machine may hold up."""
    for name in ("_START_SECONDS", "_RUN_SECONDS", "_REMOVE_SECONDS", "_OUTPUT_SECONDS"):
        monkeypatch.setattr(trials, name, PATIENCE)


def probe(environ: dict[str, str], *, trial: bool, timeout: float = PATIENCE) -> HostFacts:
    return probing.probe(environ, trial=trial, timeout=timeout)


def engine_of(path: object, timeout: float = PATIENCE) -> Engine:
    host = path if "://" in str(path) else f"unix://{path}"
    engine = probe({"DOCKER_HOST": str(host)}, trial=True, timeout=timeout).engine
    assert engine is not None
    return engine


def test_absent(own_home: Path) -> None:
    engine = engine_of(own_home / "none.sock")
    assert engine.error == f"there is no container engine at `unix://{own_home}/none.sock`"
    assert "install docker.io" in engine.hint


def test_refused(own_home: Path) -> None:
    path = own_home / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    engine = engine_of(path)
    assert "its socket refuses connections" in engine.error
    assert "systemctl start docker" in engine.hint


def test_permission(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    engine = engine_of(own_home / "x.sock")
    assert engine.error.startswith("no permission to use the container engine")
    assert "usermod -aG docker" in engine.hint


def test_hanging(own_home: Path) -> None:
    path = own_home / "slow.sock"
    with socket.socket(socket.AF_UNIX) as slow:
        slow.bind(str(path))
        slow.listen()
        engine = engine_of(path, timeout=0.3)
    assert engine.error.endswith("does not answer: waited 0.3 s")
    assert "journalctl" in engine.hint


@pytest.mark.parametrize("host", ["npipe:////./pipe/docker", "nonsense"])
def test_address_that_cannot_be_used(host: str) -> None:
    raw = raw_facts({"DOCKER_HOST": host}, trial=False, timeout=PATIENCE)
    assert raw["engine"]["failure"]["case"] == "address"


def test_garbage(own_home: Path) -> None:
    path = own_home / "junk.sock"
    with socket.socket(socket.AF_UNIX) as junk:
        junk.bind(str(path))
        junk.listen()

        def answer() -> None:
            connection, _ = junk.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"\x00\x01 no http {detail}\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        engine = engine_of(path)
        thread.join()
    assert "broke off" in engine.error


class FakeEngine:
    """Plays an engine: `start` is what starting a container with a runtime answers."""

    def __init__(self, start: Callable[[str], tuple[int, str]]) -> None:
        self.start = start
        self.calls: list[tuple[str, str]] = []
        self.runtimes: dict[str, Any] = {"runc": {"path": "runc"}}
        self.logs = "boot-1\nLinux version 6.1 of the host\n"
        self.containers: list[dict[str, Any]] = []

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        path = re.sub(r"^/v[0-9.]+/", "/", path)
        self.calls.append((method, path.partition("?")[0]))
        name = path.partition("?")[0].rstrip("/").split("/")
        if path == "/version":
            return 200, {"Version": "26.1.5", "ApiVersion": "1.45"}
        if path == "/info":
            return 200, {"ID": "e1", "Architecture": "x86_64", "Runtimes": self.runtimes}
        if name[-1] == "json":
            return 200, self.containers if len(name) == 3 else {"Config": {}}
        if name[1] == "images":
            return 200, {}
        if name[-1] == "create":
            return 201, {"Id": "c-" + json.loads(body)["HostConfig"]["Runtime"]}
        if name[-1] == "wait":
            return 200, {"StatusCode": 0}
        if name[-1] == "start":
            status, message = self.start(name[2])
            return status, {"message": message}
        if name[-1] == "logs":
            data = self.logs.encode()
            return 200, b"\x01\0\0\0" + len(data).to_bytes(4, "big") + data
        return 200, {}


@contextlib.contextmanager
def serving(engine: FakeEngine, path: Path) -> Iterator[dict[str, str]]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            status, answer = engine.answer(self.command, self.path, self.rfile.read(size))
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            kind = "application/octet-stream" if isinstance(answer, bytes) else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Api-Version", "1.45")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = handle_any

        def address_string(self) -> str:
            return "test"

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the test's output is not a log."""

    server = ThreadingUnixStreamServer(str(path), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        cache = path.parent / "cache"
        yield {"DOCKER_HOST": f"unix://{path}", "XDG_CACHE_HOME": str(cache)}
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def created(engine: FakeEngine) -> int:
    return engine.calls.count(("POST", "/containers/create"))


def test_trial_is_made_once_and_cleaned_up(own_home: Path) -> None:
    engine = FakeEngine(lambda container: (204, ""))
    with serving(engine, own_home / "e.sock") as environ:
        first = probe(environ, trial=True)
        assert created(engine) == 1
        assert probe(environ, trial=True) == first
        assert created(engine) == 1
    assert first.engine is not None
    runc = first.engine.runtime("runc")
    assert runc is not None and (runc.usable, runc.gvisor) == (True, False)
    assert ("DELETE", "/containers/c-runc") in engine.calls
    assert any(call[0] == "DELETE" and call[1].startswith("/images/") for call in engine.calls)
    cache = own_home / "cache" / "sandboxd" / "trials.json"
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600


def test_a_changed_definition_is_tried_again(own_home: Path) -> None:
    engine = FakeEngine(lambda container: (204, ""))
    with serving(engine, own_home / "e.sock") as environ:
        probe(environ, trial=True)
        engine.runtimes["runc"]["runtimeArgs"] = ["--debug"]
        probe(environ, trial=True)
    assert created(engine) == 2


def test_without_trial_nothing_is_started_and_the_outcome_is_unknown(own_home: Path) -> None:
    engine = FakeEngine(lambda container: (204, ""))
    with serving(engine, own_home / "e.sock") as environ:
        facts = probe(environ, trial=False)
    assert created(engine) == 0
    assert facts.engine is not None
    runc = facts.engine.runtime("runc")
    assert runc is not None and runc.usable is None
    assert runc.why.startswith("never tried")


def test_an_engine_that_went_down_is_remembered_but_not_called_usable(own_home: Path) -> None:
    """Else every config saved while Docker restarts would fall back to runc."""
    engine = FakeEngine(lambda container: (204, ""))
    engine.runtimes["runsc"] = {"path": "/nonexistent/runsc", "runtimeArgs": ["--directfs=false"]}
    engine.logs = "boot-2\nLinux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016\n"
    with serving(engine, own_home / "e.sock") as environ:
        up = probe(environ, trial=True)
    down = probe(environ, trial=True)
    assert up.engine is not None and down.engine is not None
    assert up.usable_gvisor() is not None
    assert "refuses connections" in down.engine.error
    assert down.usable_gvisor() is None
    assert down.proven_gvisor() == up.usable_gvisor()
    assert down.engine._replace(error="", hint="") == up.engine


def test_broken_cache_costs_a_trial_only(own_home: Path) -> None:
    engine = FakeEngine(lambda container: (204, ""))
    cache = own_home / "cache" / "sandboxd" / "trials.json"
    cache.parent.mkdir(parents=True)
    cache.write_text("[1, {")
    with serving(engine, own_home / "e.sock") as environ:
        probe(environ, trial=True)
    assert created(engine) == 1
    assert json.loads(cache.read_text())


def test_failure_is_reduced_to_its_cause_and_leaks_are_ended(own_home: Path) -> None:
    container = "c-runsc"
    leaked = fake_process("runsc-sandbox", f"--log=/run/{container}/log.json")
    innocent = fake_process("runsc-sandbox", "--log=/run/another/log.json")
    bystander = fake_process("less", f"/run/{container}/log.json")
    message = (
        "OCI runtime start failed: starting container: setting up network: creating interfaces "
        'from net namespace "/proc/1/ns/net": cannot run with network enabled in root network '
        "namespace: unknown"
    )
    engine = FakeEngine(lambda name: (500, message) if name == container else (204, ""))
    engine.runtimes["runsc"] = {"path": "/nonexistent/runsc"}
    try:
        with serving(engine, own_home / "e.sock") as environ:
            facts = probe(environ, trial=True)
        assert leaked.wait(PATIENCE) == -9
        assert (innocent.poll(), bystander.poll()) == (None, None)
    finally:
        for process in (leaked, innocent, bystander):
            process.kill()
            process.wait()
    assert facts.engine is not None
    runsc = facts.engine.runtime("runsc")
    assert runsc is not None and runsc.usable is False
    assert runsc.why == ("this runsc cannot set up its own network on this kernel (6.9 or later)")
    assert ("DELETE", f"/containers/{container}") in engine.calls


def fake_process(name: str, argument: str) -> subprocess.Popen[bytes]:
    """A process that looks like `name argument` in /proc."""
    code = "import time; print(flush=True); time.sleep(600)"
    process = subprocess.Popen(
        [name, "-c", code, argument], executable=sys.executable, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_stale_trial_containers_are_removed(own_home: Path) -> None:
    engine = FakeEngine(lambda container: (204, ""))
    ours = ["/sandboxd-trial-1a2b"]
    engine.containers = [
        {"Id": "old", "Created": 1, "Names": ours},
        {"Id": "new", "Created": time.time(), "Names": ours},
        # Its image brings our label.
        {"Id": "foreign", "Created": 1, "Names": ["/sandboxd-weather-3c4d"]},
    ]
    with serving(engine, own_home / "e.sock") as environ:
        probe(environ, trial=True)
    assert ("DELETE", "/containers/old") in engine.calls
    assert ("DELETE", "/containers/new") not in engine.calls
    assert ("DELETE", "/containers/foreign") not in engine.calls


def test_no_secret_of_the_engine_is_in_the_report(own_home: Path) -> None:
    engine = FakeEngine(lambda container: (204, ""))
    with serving(engine, own_home / "e.sock") as environ:
        original = engine.answer

        def with_secret(method: str, path: str, body: bytes) -> tuple[int, Any]:
            status, answer = original(method, path, body)
            if path.endswith("/info"):
                answer |= {"HttpProxy": "http://user:SECRET@proxy"}
            return status, answer

        engine.answer = with_secret  # type: ignore[method-assign]
        assert "SECRET" not in json.dumps(raw_facts(environ, trial=True, timeout=PATIENCE))


def test_a_failure_is_tried_again_later(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(500, "no"), (204, "")]
    engine = FakeEngine(lambda container: answers[0])
    with serving(engine, own_home / "e.sock") as environ:
        assert _usable(probe(environ, trial=True)) is False
        assert _usable(probe(environ, trial=True)) is False
        assert created(engine) == 1, "not at once"
        answers.pop(0)
        monkeypatch.setattr(trials, "_RETRY_SECONDS", 0.0)
        assert _usable(probe(environ, trial=True)) is True
        assert created(engine) == 2
        probe(environ, trial=True)
        assert created(engine) == 2, "what worked is believed"


def test_output_that_comes_after_the_end_is_waited_for(own_home: Path) -> None:
    engine = FakeEngine(lambda container: (204, ""))
    late, original = [engine.logs], engine.answer

    def answer(method: str, path: str, body: bytes) -> tuple[int, Any]:
        engine.logs = "" if len(late) < 3 else late[0]
        if "/logs" in path:
            late.append("")
        return original(method, path, body)

    engine.answer = answer  # type: ignore[method-assign]
    with serving(engine, own_home / "e.sock") as environ:
        assert _usable(probe(environ, trial=True)) is True


def test_the_runc_of_an_engine_is_the_one_that_it_names(own_home: Path) -> None:
    """Not the one in our PATH; with another default runtime no part of its version says it either."""
    engine = FakeEngine(lambda _: (204, ""))
    features = {"annotations": {"org.opencontainers.runc.version": "1.4.0"}}
    status = {"org.opencontainers.runtime-spec.features": json.dumps(features)}
    engine.runtimes["runc"] = {"path": sys.executable, "status": status}
    with serving(engine, own_home / "e.sock") as environ:
        facts = probe(environ, trial=False)
        assert facts.engine is not None
        assert [runtime.version for runtime in facts.engine.runtimes] == ["1.4.0"]
        assert dict(versions(facts))["runc"] == "1.4.0"
        engine.runtimes["runc"]["status"] = {"org.opencontainers.runtime-spec.features": "{"}
        facts = probe(environ, trial=False)
        assert facts.engine is not None
        assert "Python" in str(facts.engine.runtimes[0].version), "what the program itself says"


def test_output_that_never_comes_tells_nothing_of_the_runtime(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "_OUTPUT_SECONDS", 0.0)
    engine = FakeEngine(lambda container: (204, ""))
    engine.logs = ""
    with serving(engine, own_home / "e.sock") as environ:
        assert _usable(probe(environ, trial=True)) is None
        probe(environ, trial=True)
        assert created(engine) == 2, "not remembered"


def test_an_engine_that_breaks_off_tells_nothing_of_the_runtime(own_home: Path) -> None:
    """It restarts, say: remembered as a failure, that would keep sandboxes away for ten minutes."""

    def start(_: str) -> tuple[int, str]:
        if created(engine) == 1:
            raise ConnectionAbortedError
        return 204, ""

    engine = FakeEngine(start)
    with serving(engine, own_home / "e.sock") as environ:
        facts = probe(environ, trial=True)
        assert _usable(facts) is None
        assert facts.engine is not None
        runc = facts.engine.runtime("runc")
        assert runc is not None and "broke off" in runc.why
        assert _usable(probe(environ, trial=True)) is True, "tried again at once"


def _usable(facts: Any) -> bool | None:
    runtime = facts.engine.runtime("runc")
    return runtime.usable if runtime is not None else None
