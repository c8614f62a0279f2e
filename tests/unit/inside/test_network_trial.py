"""The trial of a Pod's network, run as it runs there: in a network namespace whose way out is a firewall of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.inside import network_trial as trial
from sandboxd.verify import listeners
from tests.patience import PATIENCE

TASK: dict[str, Any] = {
    "allowed": None,
    "forbidden": [],
    "required": True,
    "wait_seconds": 0,
    "open_seconds": 0,
}
PROGRAM = Path(trial.__file__)

needs_namespaces = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or shutil.which("iptables") is None,
    reason="it makes network namespaces and rules of a firewall",
)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "PAUSE_SECONDS", 0.01)


@pytest.fixture
def listener() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


@pytest.fixture
def closed() -> Iterator[tuple[str, int]]:
    """A place at which nobody listens, and nobody can begin to: its port is taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()


def test_what_answers_and_what_does_not_is_told_apart(
    listener: tuple[str, int], closed: tuple[str, int]
) -> None:
    assert trial.reached([closed, listener, ("::1", 1)], PATIENCE) == [listener]


def test_an_answer_that_came_while_the_machine_stood_still_counts(
    listener: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an open network would be told as a closed one."""
    times = iter([0.0, 100.0])
    monkeypatch.setattr(trial, "time", SimpleNamespace(monotonic=lambda: next(times)))
    assert trial.reached([listener], 1.5) == [listener]


def test_a_closed_network_is_seen_three_times(
    listener: tuple[str, int], closed: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[Any]] = []
    reached = trial.reached

    def note(places: list[Any], seconds: float) -> list[Any]:
        asked.append(places)
        return reached(places, seconds)

    monkeypatch.setattr(trial, "reached", note)
    outcome = trial.tried({**TASK, "allowed": listener}, [closed])
    assert outcome["outcome"] == "enforced"
    assert f"3 times in a row {trial.words(closed)} could not be reached" in outcome["evidence"]
    assert asked == [[listener], [closed]] * 3


def test_a_place_that_is_reached_once_begins_the_row_anew(
    listener: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    forbidden = ("192.0.2.1", 1)
    answers = iter([True, False, True, True, False, False, True, False, False, False])
    rounds: list[bool] = []

    def reached(places: list[Any], _seconds: float) -> list[Any]:
        if places == [listener]:
            return places
        is_closed = not next(answers)
        rounds.append(is_closed)
        return [] if is_closed else places

    monkeypatch.setattr(trial, "reached", reached)
    task = {**TASK, "allowed": listener, "open_seconds": PATIENCE}
    assert trial.tried(task, [forbidden])["outcome"] == "enforced"
    assert rounds[-3:] == [True] * 3 and len(rounds) == 10


def test_what_stays_open_is_named(listener: tuple[str, int], closed: tuple[str, int]) -> None:
    outcome = trial.tried({**TASK, "allowed": listener}, [closed, listener])
    assert outcome["outcome"] == "open"
    assert f"{trial.words(listener)} was reached from inside" in outcome["evidence"]


def test_without_the_answer_that_has_to_come_nothing_was_seen(closed: tuple[str, int]) -> None:
    """As where kube-proxy is stopped: what cannot be reached then says nothing of a policy."""
    outcome = trial.tried({**TASK, "allowed": closed}, [closed])
    assert outcome["outcome"] == "not checked"
    assert "does not answer" in outcome["evidence"]
    assert trial.tried(dict(TASK), [])["outcome"] == "not checked"


def test_the_node_and_the_api_server_are_tried_too() -> None:
    environ = {
        "SANDBOXD_HOST_IP": "10.0.0.7",
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
        "KUBERNETES_SERVICE_PORT": "443",
    }
    places = [("10.96.200.1", 8080), ("10.0.0.7", 10250), ("10.96.0.1", 443)]
    assert trial.forbidden_places([["10.96.200.1", 8080]], environ) == places
    assert trial.forbidden_places([], {"KUBERNETES_SERVICE_HOST": "x"}) == []


def run(task: dict[str, Any], message: Path, *before: str, **environ: str) -> tuple[int, Any]:
    """Exit code and message of the program, as the Pod starts it."""
    words = [*before, sys.executable, "-I", "-S", "-c", PROGRAM.read_text()]
    done = subprocess.run(
        [*words, json.dumps({**task, "message": str(message)})],
        env=environ, capture_output=True, text=True, timeout=2 * PATIENCE, check=False,
    )  # fmt: skip
    assert message.exists(), done.stderr
    return done.returncode, json.loads(message.read_text())


@pytest.mark.parametrize(("required", "code"), [(True, 1), (False, 0)])
def test_only_where_it_is_required_an_open_network_holds_the_pod_up(
    listener: tuple[str, int], tmp_path: Path, required: bool, code: int
) -> None:
    task = {**TASK, "forbidden": [listener], "required": required}
    ended, message = run(task, tmp_path / "message")
    assert (ended, message["outcome"]) == (code, "open")


class Namespace:
    """The network of a Pod: a wire to another namespace, in which the gateway and the firewall are."""

    def __init__(self) -> None:
        self.pod, self.node = self._make(), self._make()
        self._in(self.node, f"ip link add pod0 type veth peer name eth0 netns {self.pod.pid}")
        for process, name, address in (
            (self.node, "pod0", "10.9.0.1/24"),
            (self.pod, "eth0", "10.9.0.2/24"),
        ):
            self._in(process, f"ip address add {address} dev {name}; ip link set {name} up")

    def _make(self) -> subprocess.Popen[bytes]:
        words = ["unshare", "-n", "sh", "-c", "ip link set lo up; echo; exec sleep 1000000"]
        process = subprocess.Popen(words, stdout=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline() == b"\n"
        return process

    def _in(self, process: subprocess.Popen[bytes], script: str) -> None:
        subprocess.run([*self.enter(process), "sh", "-ec", script], check=True, capture_output=True)

    def enter(self, process: subprocess.Popen[bytes]) -> list[str]:
        return ["nsenter", "-t", str(process.pid), "-n"]

    def enforce(self) -> None:
        """Let the Pod reach port 1 of the node's end alone."""
        self._in(self.node, "iptables -w -A INPUT -i pod0 -p tcp --dport 2 -j DROP")

    def listen(self, port: int) -> socket.socket:
        with listeners.network_of(self.node.pid):
            return socket.create_server(("10.9.0.1", port))

    def close(self) -> None:
        for process in (self.pod, self.node):
            process.kill()
            process.wait()


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    made = Namespace()
    with made.listen(1), made.listen(2):
        yield made
    made.close()


WIRED = {**TASK, "allowed": ["10.9.0.1", 1], "forbidden": [["10.9.0.1", 2]]}


@needs_namespaces
def test_a_firewall_that_drops_is_seen_and_none_is_refused(
    namespace: Namespace, tmp_path: Path
) -> None:
    enter = namespace.enter(namespace.pod)
    code, message = run(WIRED, tmp_path / "open", *enter)
    assert (code, message["outcome"]) == (1, "open")
    namespace.enforce()
    code, message = run(WIRED, tmp_path / "closed", *enter)
    assert (code, message["outcome"]) == (0, "enforced")
    assert "10.9.0.1 port 2 could not be reached" in message["evidence"]


@needs_namespaces
def test_a_policy_that_comes_into_force_after_the_pod_is_waited_for(
    namespace: Namespace, tmp_path: Path
) -> None:
    task = {**WIRED, "open_seconds": PATIENCE}
    answers: list[tuple[int, Any]] = []
    words = namespace.enter(namespace.pod)
    thread = threading.Thread(target=lambda: answers.append(run(task, tmp_path / "m", *words)))
    with namespace.listen(3) as late:
        task["forbidden"] = [["10.9.0.1", 2], ["10.9.0.1", 3]]
        thread.start()
        # It was open once: only now the rules come.
        late.settimeout(PATIENCE)
        late.accept()[0].close()
        namespace.enforce()
    thread.join(2 * PATIENCE)
    ((code, message),) = answers
    assert (code, message["outcome"]) == (0, "enforced")


@needs_namespaces
def test_a_network_that_leads_nowhere_is_no_closed_one(
    namespace: Namespace, tmp_path: Path
) -> None:
    """The Pod of a cluster whose Services lead nowhere reaches nothing, enforced or not."""
    task = {**WIRED, "allowed": ["10.9.0.1", 4]}
    code, message = run(task, tmp_path / "message", *namespace.enter(namespace.pod))
    assert (code, message["outcome"]) == (1, "not checked")
