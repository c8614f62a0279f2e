"""Attempts of a Pod find a way where there is one, and none where there is none."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandboxd.inside.escapes import (
    _doors,
    _kernel,
    _pod,
    _positive,
    pod_api_server,
    pod_capabilities,
    pod_host_namespaces,
    pod_kernel,
    pod_kubelet,
    pod_name_server,
    pod_neighbour,
    pod_new_privileges,
    pod_proxy_address,
    pod_proxy_name,
    pod_root_file_system,
    pod_service_account,
)
from tests import ports

FACTS: dict[str, Any] = {
    "gateway": "127.0.0.1",
    "host_addresses": [],
    "node": "",
    "is_gvisor": True,
    "api_server": [],
    "neighbours": [],
    "name_servers": [],
    "cluster_names": ["kubernetes.default.svc.cluster.local"],
}


@pytest.fixture
def port() -> Iterator[int]:
    """One that listens on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> Iterator[int]:
    with ports.closed_port() as number:
        yield number


def test_the_first_place_that_takes_a_connection_is_named(port: int, closed_port: int) -> None:
    places = [("127.0.0.1", closed_port), ("127.0.0.1", port)]
    assert _pod.first_reached(places, "")["detail"] == f"127.0.0.1 port {port} takes a connection"
    with pytest.raises(OSError, match="refused"):
        _pod.first_reached(places[:1], "")
    with pytest.raises(_kernel.NotApplicable, match="nothing is known"):
        _pod.first_reached([], "nothing is known")


def test_the_api_server_is_found_by_its_variables(
    port: int, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(port))
    assert pod_api_server.attempt(FACTS)["detail"]
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(closed_port))
    with pytest.raises(OSError):
        pod_api_server.attempt(FACTS)
    assert pod_api_server.attempt({**FACTS, "api_server": [["127.0.0.1", port]]})["detail"]


def test_a_neighbour_and_a_kubelet(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pod_neighbour.attempt({**FACTS, "neighbours": [["127.0.0.1", port]]})["detail"]
    monkeypatch.setattr(pod_kubelet, "_PORTS", (port,))
    assert pod_kubelet.attempt({**FACTS, "host_addresses": ["127.0.0.1"]})["detail"]
    for module in (pod_neighbour, pod_kubelet, pod_name_server):
        with pytest.raises(_kernel.NotApplicable):
            module.attempt(FACTS)


def test_a_name_server_that_answers_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {**FACTS, "name_servers": ["10.96.0.10"]}
    monkeypatch.setattr(_doors, "ask", lambda *_: b"answer")
    assert pod_name_server.attempt(facts) == {"detail": "10.96.0.10 answers"}


class AnsweringSocket(contextlib.nullcontext[Any]):
    """A socket of the one family that its name server is asked by, which answers what it was sent."""

    def __init__(self, family: int, kind: int) -> None:
        super().__init__(self)
        assert kind == socket.SOCK_DGRAM
        self.family, self.sent = family, b""

    def settimeout(self, seconds: float) -> None: ...

    def connect(self, address: tuple[str, int]) -> None:
        socket.inet_pton(self.family, address[0])

    def send(self, packet: bytes) -> None:
        self.sent = packet

    def recv(self, size: int) -> bytes:
        return self.sent[:size]


@pytest.mark.parametrize("server", ["10.96.0.10", "fd00:10:96::a"])
def test_a_name_server_is_asked_at_an_address_of_either_kind(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", AnsweringSocket)
    assert pod_name_server.attempt({**FACTS, "name_servers": [server]}) == {
        "detail": f"{server} answers"
    }


class Doors:
    """A gateway that says what it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, http: bytes, socks: bytes) -> None:
        self.asked: list[tuple[str, int]] = []

        def connect(_: str, host: str, port: int) -> bytes:
            self.asked.append((host, port))
            return http

        monkeypatch.setattr(_doors, "connect", connect)
        monkeypatch.setattr(_doors, "socks", lambda *_: socks)
        monkeypatch.setattr(_doors, "ask", lambda _, packet: packet[:3] + b"\x83" + bytes(8))


REFUSES, LEADS = b"HTTP/1.1 403 Forbidden\r\n", b"HTTP/1.1 200 Connection established\r\n"


@pytest.mark.parametrize("module", [pod_proxy_name, pod_proxy_address])
def test_a_proxy_that_leads_into_the_cluster_is_found_out(
    module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors = Doors(monkeypatch, REFUSES, b"\5\2")
    facts = {**FACTS, "api_server": [("10.96.0.1", 443)], "host_addresses": ["10.0.0.9"]}
    with pytest.raises(OSError, match="403"):
        module.attempt(facts)
    assert doors.asked
    Doors(monkeypatch, LEADS, b"\5\2")
    assert "leads to" in module.attempt(facts)["detail"]


def test_a_socks_proxy_that_leads_into_the_cluster_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Doors(monkeypatch, REFUSES, b"\5\0\0\1")
    assert "SOCKS" in pod_proxy_address.attempt(FACTS)["detail"]


def test_a_gateway_that_gives_an_address_to_a_name_of_the_cluster_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_doors, "ask", lambda _, packet: packet)
    monkeypatch.setattr(_doors, "address_in", lambda *_: "10.96.0.1")
    assert pod_proxy_name.attempt(FACTS)["target"] == "kubernetes.default.svc.cluster.local"


def test_the_connection_that_has_to_work(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_doors, "HTTP", port)
    assert _positive.attempt(FACTS)["detail"]
    with pytest.raises(_kernel.NotApplicable):
        _positive.attempt({**FACTS, "gateway": ""})


def test_a_token_that_opens_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_service_account, "_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(pod_service_account, "mount_points", lambda: [str(tmp_path / "file")])
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="no token in any mount"):
        pod_service_account.attempt(FACTS)
    (tmp_path / "kubernetes.io/serviceaccount").mkdir(parents=True)
    token = tmp_path / "kubernetes.io/serviceaccount/token"
    token.write_text("x")
    assert pod_service_account.attempt(FACTS)["detail"] == f"{token} opens"
    token.unlink()
    (tmp_path / "web").write_text("x")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "web"))
    assert "web opens" in pod_service_account.attempt(FACTS)["detail"]


STATUS = "Name:\tx\nCapInh:\t0\nCapPrm:\t0\nCapEff:\t{}\nCapBnd:\t{}\nCapAmb:\t0\n"


@pytest.mark.parametrize(("effective", "bounding"), [("0", "1"), ("a", "a"), ("a", "0")])
def test_a_capability_is_found(
    effective: str, bounding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = STATUS.format(effective, bounding)
    monkeypatch.setattr(pod_capabilities, "read_text", lambda _: text)
    assert "is " in pod_capabilities.attempt(FACTS)["detail"]


def test_no_capability_is_none_and_silence_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_capabilities, "read_text", lambda _: STATUS.format("0", "0000"))
    with pytest.raises(PermissionError):
        pod_capabilities.attempt(FACTS)
    monkeypatch.setattr(pod_capabilities, "read_text", lambda _: "Name:\tx\n")
    with pytest.raises(_kernel.Unable):
        pod_capabilities.attempt(FACTS)


def test_this_process_may_gain_rights_or_not() -> None:
    flag = Path("/proc/self/status").read_text().partition("NoNewPrivs:")[2].split()[0]
    if flag == "0":
        assert pod_new_privileges.attempt(FACTS)["detail"]
    else:
        with pytest.raises(PermissionError):
            pod_new_privileges.attempt(FACTS)


@pytest.mark.parametrize(
    ("options", "flag", "is_open"),
    [("rw,relatime", 0, True), ("ro,relatime", 1, False), ("ro", 0, True), ("errors=ro,rw", 0, True)],
)  # fmt: skip
def test_a_writable_root_is_found_by_its_mount_and_its_flag(
    options: str, flag: int, is_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Played:
        ST_RDONLY = 1

        @staticmethod
        def statvfs(_: str) -> Any:
            return type("S", (), {"f_flag": flag})

    text = f"overlay / overlay {options} 0 0\nx /tmp ext4 rw 0 0\n"
    monkeypatch.setattr(pod_root_file_system, "read_text", lambda *_: text)
    monkeypatch.setattr(pod_root_file_system, "os", Played)
    if is_open:
        assert pod_root_file_system.attempt(FACTS)["detail"]
    else:
        with pytest.raises(OSError):
            pod_root_file_system.attempt(FACTS)


def test_signs_of_the_nodes_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_host_namespaces, "_FIRST", {})
    monkeypatch.setattr(pod_host_namespaces, "read_text", lambda _: "sh\n")
    facts = {**FACTS, "host_addresses": ["192.0.2.1"], "node": "node-1"}
    with pytest.raises(OSError, match="no sign"):
        pod_host_namespaces.attempt(facts)
    assert "net (" in pod_host_namespaces.attempt({**facts, "host_addresses": ["127.0.0.1"]})["detail"]  # fmt: skip
    monkeypatch.setattr(pod_host_namespaces, "read_text", lambda _: "kthreadd\n")
    assert "pid (" in pod_host_namespaces.attempt(facts)["detail"]
    with pytest.raises(_kernel.Unable):
        monkeypatch.setattr(pod_host_namespaces, "read_text", lambda _: "")
        pod_host_namespaces.attempt(FACTS)


@pytest.mark.parametrize(
    ("version", "log", "is_gvisor"),
    [
        ("Linux version 4.19.0-gvisor", "", True),
        ("Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016", "", True),
        ("Linux version 6.1", "[0.0] Starting gVisor...", True),
        ("Linux version 6.1", "[0.0] Linux", False),
    ],
)
def test_gvisor_is_believed_only_by_its_version_and_its_log(
    version: str, log: str, is_gvisor: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod_kernel, "read_text", lambda _: version)
    monkeypatch.setattr(pod_kernel, "_log", lambda: log)
    if is_gvisor:
        with pytest.raises(OSError, match="by its own word"):
            pod_kernel.attempt(FACTS)
    else:
        assert pod_kernel.attempt(FACTS)["detail"] == "it calls itself `Linux version 6.1`"
    with pytest.raises(_kernel.NotApplicable):
        pod_kernel.attempt({**FACTS, "is_gvisor": False})


def test_a_log_that_nobody_may_read_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> int:
        raise PermissionError

    monkeypatch.setattr(pod_kernel, "call", refused)
    assert pod_kernel._log() == ""
