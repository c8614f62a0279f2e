"""Ways past a filter of names that others had to close, and what must become of each.

The number is that of the list in the project's research; the source is where it was found.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NamedTuple

from sandboxd.egress.gateway import dns
from sandboxd.egress.names import Pattern, pattern
from sandboxd.egress.policy import Policy, Rule
from tests.integration.egress.namespaces import (
    GATEWAY_OUTSIDE,
    INTERNET,
    INTERNET_6,
    METADATA,
    PLACE,
    ROUTER,
    WORKSPACE,
)
from tests.integration.egress.workspace import Workspace, tls
from tests.patience import PATIENCE
from tests.unit.egress.hellos import ECH, hello, server_names

DECOY = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
PLACEHOLDER = "placeholder-of-sandboxd-0123456789abcdef0123"
HOST_ITSELF = "93.184.0.12"
POLICY = Policy(
    rules=(
        Rule(pattern("open.example"), (7, 22, 80, 443, 6379), source="tests"),
        Rule(pattern("other.example"), (80, 443)),
        Rule(pattern("sni.example"), (443,), needs_sni=True),
        Rule(pattern("*.wild.example"), (80, 443)),
        Rule(pattern("private.example"), (80,)),
        Rule(pattern("trusted.example"), (80, 5432), private=True),
        Rule(pattern("xn--bcher-kva.example"), (80,)),
        Rule(pattern("*.metadata.example"), (80,), private=True),
        Rule(pattern("host.example"), (80,), private=True),
        Rule(pattern("router.example"), (80,), private=True),
        Rule(pattern("github.com"), (443,)),
        Rule(Pattern("10.1.2.3"), (80,), private=True),
    ),
    denied=(pattern("no.wild.example"),),
    canaries=("canary.wild.example",),
    decoys=(DECOY,),
    services=(("db", WORKSPACE),),
    forbidden=(f"{HOST_ITSELF}/32",),
)
RECORDS = {
    "open.example": [INTERNET],
    "other.example": [INTERNET],
    "sni.example": [INTERNET],
    "xn--bcher-kva.example": [INTERNET],
    "private.example": ["10.9.9.9"],
    "host.example": [HOST_ITSELF],
    "router.example": [ROUTER],
    "link.metadata.example": [METADATA],
    "alibaba.metadata.example": ["100.100.100.200"],
    "azure.metadata.example": ["168.63.129.16"],
    "oracle.metadata.example": ["192.0.0.192"],
    "loop.metadata.example": ["127.0.0.1"],
    "inner.metadata.example": [PLACE.gateway],
    "unspecified.metadata.example": ["0.0.0.0"],
}
GET = b"GET / HTTP/1.1\r\nHost: open.example\r\n\r\n"


class Attempt(NamedTuple):
    """`outcome` is the start of what comes back; `reported` the reason in an event, '' for none."""

    number: int
    source: str
    what: str
    do: Callable[[Workspace], str]
    outcome: str
    reported: str = ""


def connect(target: str) -> Callable[[Workspace], str]:
    return lambda workspace: workspace.connect(target)


def proxy(*lines: str) -> Callable[[Workspace], str]:
    return lambda workspace: workspace.proxy("\r\n".join([*lines, "", ""]))


def raw(data: bytes) -> Callable[[Workspace], str]:
    return lambda workspace: workspace.proxy(data)


def socks(host: bytes, port: int = 443, kind: int = 3) -> Callable[[Workspace], str]:
    return lambda workspace: workspace.socks(host, port, kind=kind)


def direct(name: str, port: int, data: bytes = GET) -> Callable[[Workspace], str]:
    return lambda workspace: workspace.say_to(name, port, data)


def literal(address: str, port: int, data: bytes = GET) -> Callable[[Workspace], str]:
    return lambda workspace: workspace.say(address, port, data)


def lookup(name: str, kind: int = dns.A) -> Callable[[Workspace], str]:
    return lambda workspace: f"{workspace.lookup(name, kind)}"


def by_tls(target: str, server_name: str | None) -> Callable[[Workspace], str]:
    return lambda workspace: tls(workspace.tunnel(target), server_name)


def direct_tls(name: str, server_name: str | None) -> Callable[[Workspace], str]:
    return lambda workspace: tls(workspace.direct(name, 443), server_name)


def after_connect(target: str, data: bytes) -> Callable[[Workspace], str]:
    def attempt(workspace: Workspace) -> str:
        with workspace.tunnel(target) as sock:
            try:
                sock.sendall(data)
                return sock.recv(4096).decode("latin-1") or "closed"
            except ConnectionError:
                return "refused"

    return attempt


def udp(
    address: Callable[[Workspace], str], port: int, seconds: float = PATIENCE
) -> Callable[[Workspace], str]:
    """:param seconds: how long an answer is waited for; few where none is to come"""

    def attempt(workspace: Workspace) -> str:
        names = workspace.namespaces
        with names.new_socket(names.workspace, socket.SOCK_DGRAM) as sock:
            sock.settimeout(seconds)
            try:
                sock.connect((address(workspace), port))
                sock.send(b"x" * 30)
                return sock.recv(100).decode("latin-1")
            except ConnectionRefusedError:
                return "refused"
            except TimeoutError:
                return "silent"
            except OSError:
                return "unreachable"

    return attempt


def by_device(address: str, port: int) -> Callable[[Workspace], str]:
    """Out of the interface, whatever the routes say."""

    def attempt(workspace: Workspace) -> str:
        names = workspace.namespaces
        with names.new_socket(names.workspace) as sock:
            sock.settimeout(PATIENCE)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"inner")
            try:
                sock.connect((address, port))
                sock.sendall(GET)
                return sock.recv(100).decode("latin-1")
            except (ConnectionRefusedError, ConnectionResetError):
                return "refused"
            except OSError:
                return "unreachable"

    return attempt


def ping(workspace: Workspace) -> str:
    names = workspace.namespaces
    with names.inside(names.workspace):
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    with sock:
        try:
            sock.sendto(b"\x08\0\xf7\xff\0\0\0\0", (INTERNET, 0))
        except OSError:
            return "unreachable"
    return "sent"


NO_NAME = "Reply(code=3, addresses=())"
EMPTY = "Reply(code=0, addresses=())"
NO = "HTTP/1.1 403"
BAD = "HTTP/1.1 400"
PASSES = "HTTP/1.1 200"

ATTEMPTS = [
    Attempt(1, "gh-aw-firewall #1160", "CONNECT to an address", connect(f"{INTERNET}:443"), NO, "not-a-name"),
    Attempt(1, "gh-aw-firewall #1160", "the same by SOCKS", socks(b"\x5d\xb8\0\1", kind=1), "code 2", "not-a-name"),
    Attempt(1, "gh-aw-firewall #1160", "the same, IPv6", socks(bytes(15) + b"\1", kind=4), "code 2", "not-a-name"),
    Attempt(1, "gh-aw-firewall #1160", "the same, as a SOCKS name", socks(INTERNET.encode()), "code 2", "not-a-name"),
    Attempt(2, "sandbox-runtime #274", "another port, by proxy", connect("open.example:8443"), NO, "port"),
    Attempt(2, "sandbox-runtime #274", "another port, directly", direct("open.example", 8443), "refused", "port"),
    Attempt(2, "sandbox-runtime #274", "another name's port", direct("other.example", 6379), "refused", "port"),
    Attempt(2, "sandbox-runtime #274", "another port, by SOCKS", socks(b"open.example", 25), "code 2", "port"),
    Attempt(3, "claude-code #40213", "plain HTTP to a denied host",
            proxy("GET http://denied.example/ HTTP/1.1", "Host: denied.example"), NO, "no-rule"),
    Attempt(4, "httpjail #57", "CONNECT and Host differ",
            proxy("CONNECT open.example:443 HTTP/1.1", "Host: denied.example:443"), NO, "host"),
    Attempt(4, "httpjail #57", "absolute URI and Host differ",
            proxy("GET http://open.example/ HTTP/1.1", "Host: denied.example"), NO, "host"),
    Attempt(4, "httpjail #57", "the same, within the policy",
            proxy("GET http://open.example/ HTTP/1.1", "Host: other.example"), NO, "host"),
    Attempt(4, "httpjail #57", "Host names another, directly",
            direct("open.example", 80, b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n"), NO, "host"),
    Attempt(4, "httpjail #57", "absolute URI names another, directly",
            direct("open.example", 80, b"GET http://other.example/ HTTP/1.1\r\nHost: open.example\r\n\r\n"), NO, "host"),
    Attempt(6, "OpenShell #352", "two lengths",
            raw(b"POST http://open.example/ HTTP/1.1\r\nHost: open.example\r\nContent-Length: 4\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"), BAD, "malformed"),
    Attempt(7, "llhttp #877", "lines that end with LF alone",
            raw(b"GET http://open.example/ HTTP/1.1\nHost: open.example\n\n"), BAD, "malformed"),
    Attempt(7, "llhttp #877", "one such line, directly",
            direct("open.example", 80, b"GET / HTTP/1.1\r\nHost: open.example\nX: y\r\n\r\n"), BAD, "malformed"),
    Attempt(7, "RFC 9112, section 5.2", "a folded line",
            raw(b"GET http://open.example/ HTTP/1.1\r\nHost: open.example\r\n X: y\r\n\r\n"), BAD, "malformed"),
    Attempt(8, "h11 GHSA-vqfr-h8mv-ghfj", "a chunk with another end",
            raw(b"POST http://open.example/ HTTP/1.1\r\nHost: open.example\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3\r\nabcXX0\r\n\r\n"), "refused", "malformed"),
    Attempt(10, "OpenShell #1498", "NUL in a SOCKS name", socks(b"open.example\0.evil"), "code 2", "malformed"),
    Attempt(10, "OpenShell #1498", "NUL before an allowed name", socks(b"evil\0.open.example"), "code 2", "malformed"),
    Attempt(11, "smokescreen", "zone in a name", connect("x%y.open.example:443"), BAD, "malformed"),
    Attempt(11, "smokescreen", "zone in a SOCKS name", socks(b"fe80::1%open.example"), "code 2", "not-a-name"),
    Attempt(12, "smokescreen #163", "doubled brackets", connect("[[open.example]]:443"), BAD, "malformed"),
    Attempt(12, "smokescreen #163", "brackets around a name", connect("[open.example]:443"), NO, "not-a-name"),
    Attempt(13, "OpenShell", "trailing dot of a denied name", connect("denied.example.:443"), NO, "no-rule"),
    Attempt(13, "OpenShell", "trailing dot of a name that is denied below a wildcard",
            connect("no.wild.example.:443"), NO, "denied"),
    *[Attempt(14, "WHATWG URL, section 3.5", f"an address spelled {text}", connect(f"{text}:80"), NO, "not-a-name")
      for text in ("127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "10.1.2.3.", "010.1.2.3")],
    *[Attempt(15, "RFC 4291, 6052, 3056", f"an address in {text}", connect(f"{text}:80"), NO, "not-a-name")
      for text in ("[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::1]")],
    Attempt(16, "smokescreen", "a prefix", connect("evil-github.com:443"), NO, "no-rule"),
    Attempt(16, "smokescreen", "a suffix", connect("github.com.evil:443"), NO, "no-rule"),
    Attempt(16, "smokescreen", "the host of a wildcard itself", connect("wild.example:443"), NO, "no-rule"),
    Attempt(17, "SuperAgent #1110", "an escaped #", connect("denied.example%23.open.example:443"), BAD, "malformed"),
    Attempt(17, "SuperAgent #1110", "a #",
            proxy("GET http://denied.example#.open.example/ HTTP/1.1", "Host: open.example"), BAD, "malformed"),
    Attempt(17, "SuperAgent #1110", "a user that looks like a host",
            proxy("GET http://open.example@denied.example/ HTTP/1.1", "Host: open.example"), BAD, "malformed"),
    Attempt(19, "RFC 5891", "letters beyond ASCII", raw("CONNECT bücher.example:80 HTTP/1.1\r\nHost: x\r\n\r\n".encode()),
            BAD, "malformed"),
    Attempt(19, "RFC 5891", "another spelling of it", connect("xn--bcher-kvb.example:80"), NO, "no-rule"),
    Attempt(22, "RFC 6761", "below localhost", connect("x.localhost:80"), NO, "not-a-name"),
    *[Attempt(23, "the clouds' guides", f"a name that leads to {RECORDS[f'{name}.metadata.example'][0]}",
              direct(f"{name}.metadata.example", 80, GET.replace(b"open", f"{name}.metadata".encode())), NO, "address")
      for name in ("link", "alibaba", "azure", "oracle", "loop", "inner", "unspecified")],
    Attempt(23, "RFC 1918", "a private address without a permission",
            proxy("GET http://private.example/ HTTP/1.1", "Host: private.example"), NO, "address"),
    Attempt(24, "sandboxd", "the host, as the next station of the way out",
            direct("router.example", 80, GET.replace(b"open", b"router")), NO, "address"),
    Attempt(24, "sandboxd", "the host's own public address", direct("host.example", 80, GET.replace(b"open", b"host")),
            NO, "address"),
    *[Attempt(25, "sbx-releases #546", name, lookup(name), NO_NAME, "no-rule")
      for name in ("host.docker.internal", "gateway.docker.internal", "host.containers.internal")],
    Attempt(27, "codex #20002", "round the proxy, as NO_PROXY makes", literal(INTERNET, 80), "unreachable"),
    Attempt(28, "agentcage #214", "SNI is not the CONNECT host", by_tls("open.example:443", "other.example"),
            "refused", "sni"),
    Attempt(28, "agentcage #214", "SNI is the CONNECT host", by_tls("open.example:443", "open.example"),
            "sni=open.example"),
    Attempt(29, "microsandbox #694", "SNI of another name, directly", direct_tls("other.example", "open.example"),
            "refused", "sni"),
    Attempt(29, "microsandbox #694", "SNI of the name, directly", direct_tls("other.example", "other.example"),
            "sni=other.example"),
    Attempt(30, "RFC 6066", "no SNI where one is needed", direct_tls("sni.example", None), "refused", "sni"),
    Attempt(30, "RFC 6066", "no SNI elsewhere", direct_tls("open.example", None), "sni=None"),
    Attempt(30, "RFC 9849", "an encrypted hello where a name is needed",
            after_connect("sni.example:443", hello(server_names(b"sni.example"), ECH)), "refused", "sni"),
    Attempt(31, "sandboxd", "bytes that are no TLS where a name is needed",
            after_connect("sni.example:443", b"SSH-2.0-x\r\n"), "refused", "sni"),
    Attempt(31, "sandboxd", "bytes that are no TLS elsewhere", after_connect("open.example:7", b"anything"), "anything"),
    Attempt(32, "RFC 9113", "prior knowledge of HTTP/2", raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "HTTP/1.1 505", "malformed"),
    Attempt(32, "RFC 9113", "the same, directly", direct("open.example", 80, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            "HTTP/1.1 505", "malformed"),
    Attempt(32, "RFC 7540", "an upgrade to h2c is passed on without it",
            proxy("GET http://open.example/ HTTP/1.1", "Host: open.example", "Connection: Upgrade, HTTP2-Settings",
                  "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), PASSES),
    Attempt(33, "RFC 9000", "QUIC", udp(lambda workspace: workspace.address("open.example"), 443), "refused"),
    Attempt(34, "sandboxd", "another name server by UDP", udp(lambda _: "8.8.8.8", 53), "unreachable"),
    Attempt(34, "sandboxd", "another name server by TCP", literal("8.8.8.8", 53), "unreachable"),
    Attempt(34, "sandboxd", "a synthetic address as name server",
            udp(lambda workspace: workspace.address("open.example"), 53), "refused"),
    *[Attempt(35, "agentcage #216", f"type {kind} of an allowed name", lookup("open.example", kind), EMPTY)
      for kind in (dns.AAAA, 16, 15, 33, 64, 65, 255)],
    Attempt(35, "agentcage #216", "a text of a denied name", lookup("data.denied.example", 16), NO_NAME, "no-rule"),
    Attempt(39, "RFC 8484", "DNS by HTTPS", connect("dns.google:443"), NO, "no-rule"),
    Attempt(40, "sandboxd", "ICMP", ping, "unreachable"),
    Attempt(41, "sandboxd", "IPv6", literal(INTERNET_6, 80), "unreachable"),
    *[Attempt(42, "sandboxd", f"port {port} of the gateway", literal(PLACE.gateway, port), "refused", "not-a-name")
      for port in (22, 80, 443, 2375, 8080)],
    Attempt(44, "sandboxd", "a synthetic address that stands for nothing", literal("198.18.31.200", 80), "refused",
            "not-a-name"),
    Attempt(45, "said so in the documentation", "another Host within TLS cannot be seen, and passes",
            by_tls("open.example:443", "open.example"), "sni=open.example"),
    Attempt(0, "section 6", "a real address by the interface", by_device(INTERNET, 80), "unreachable"),
    Attempt(0, "section 6", "the gateway's other address by the interface", by_device(GATEWAY_OUTSIDE, 80), "refused",
            "not-a-name"),
    Attempt(0, "sandboxd", "a canary", connect("canary.wild.example:443"), NO, "canary"),
    Attempt(0, "sandboxd", "a canary, by SOCKS", socks(b"canary.wild.example"), "code 2", "canary"),
    Attempt(0, "sandboxd", "a canary, looked up", lookup("canary.wild.example"), NO_NAME, "canary"),
    Attempt(0, "sandboxd", "a canary as Host", proxy("GET http://open.example/ HTTP/1.1", "Host: canary.wild.example"),
            NO, "canary"),
    Attempt(0, "sandboxd", "a canary as SNI", by_tls("open.example:443", "canary.wild.example"), "refused", "canary"),
    Attempt(0, "sandboxd", "a decoy in a header", proxy("GET http://open.example/ HTTP/1.1", "Host: open.example",
            f"X-Key: {DECOY}"), NO, "canary"),
    Attempt(0, "sandboxd", "a decoy as the name of a field", proxy("GET http://open.example/ HTTP/1.1",
            "Host: open.example", f"{DECOY}: x"), NO, "canary"),
    Attempt(0, "sandboxd", "a decoy as the method", proxy(f"{DECOY} http://open.example/ HTTP/1.1", "Host: open.example"),
            NO, "canary"),
    Attempt(0, "sandboxd", "a placeholder as the name of a field", proxy("GET http://open.example/ HTTP/1.1",
            "Host: open.example", f"X-{PLACEHOLDER}: x"), NO, "canary"),
    Attempt(0, "sandboxd", "a placeholder as the method, directly",
            direct("open.example", 80, f"{PLACEHOLDER} / HTTP/1.1\r\nHost: open.example\r\n\r\n".encode()), NO, "canary"),
    Attempt(0, "sandboxd", "a placeholder in the chunks of a body",
            raw(b"POST http://open.example/ HTTP/1.1\r\nHost: open.example\r\nTransfer-Encoding: chunked\r\n\r\n"
                + b"".join(b"1\r\n%c\r\n" % byte for byte in PLACEHOLDER.encode()) + b"0\r\n\r\n"), "refused", "canary"),
    Attempt(0, "sandboxd", "a decoy in a URL, directly",
            direct("open.example", 80, f"GET /{DECOY} HTTP/1.1\r\nHost: open.example\r\n\r\n".encode()), NO, "canary"),
    Attempt(0, "sandboxd", "a decoy in a name", lookup(f"{DECOY}.wild.example"), NO_NAME, "canary"),
    Attempt(0, "sandboxd", "a decoy as SNI", by_tls("open.example:443", f"{DECOY}.evil.example"), "refused", "canary"),
    Attempt(0, "sandboxd", "a decoy in the chunks of a body",
            raw(b"POST http://open.example/ HTTP/1.1\r\nHost: open.example\r\nTransfer-Encoding: chunked\r\n\r\n"
                + b"".join(b"1\r\n%c\r\n" % byte for byte in DECOY.encode()) + b"0\r\n\r\n"), "refused", "canary"),
    Attempt(0, "sandboxd", "plain text on port 80 that is no HTTP", direct("open.example", 80, b"EHLO x\r\n\r\n"), BAD,
            "malformed"),
    Attempt(0, "sandboxd", "CONNECT within a tunnel to port 80",
            after_connect("open.example:80", b"CONNECT other.example:80 HTTP/1.1\r\nHost: other.example:80\r\n\r\n"),
            "HTTP/1.1 405", "malformed"),
    Attempt(0, "sandboxd", "another host within a tunnel to port 80",
            after_connect("open.example:80", b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n"), NO, "host"),
    Attempt(0, "sandboxd", "an address that has a rule of its own, another port", connect("10.1.2.3:81"), NO, "port"),
]  # fmt: skip
