"""The JSON of a `daemon.json` as `model.daemon_config` describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Place
from sandboxd.model.daemon_config import DaemonConfig, DaemonRuntime
from sandboxd.model.values import Origin, Value
from sandboxd.syntax import go_json
from sandboxd.text import Span

if TYPE_CHECKING:
    from typing import Any

    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node

# Any of these makes it docker's; other programs have a daemon.json as well.
_KNOWN = frozenset(
    [
        "authorization-plugins",
        "bip",
        "bridge",
        "builder",
        "cgroup-parent",
        "containerd",
        "data-root",
        "debug",
        "default-address-pools",
        "default-cgroupns-mode",
        "default-runtime",
        "default-shm-size",
        "default-ulimits",
        "dns",
        "exec-opts",
        "experimental",
        "features",
        "group",
        "hosts",
        "icc",
        "insecure-registries",
        "ip",
        "ip-forward",
        "iptables",
        "ip6tables",
        "ipv6",
        "labels",
        "live-restore",
        "log-driver",
        "log-opts",
        "max-concurrent-downloads",
        "metrics-addr",
        "mtu",
        "no-new-privileges",
        "registry-mirrors",
        "runtimes",
        "seccomp-profile",
        "selinux-enabled",
        "storage-driver",
        "storage-opts",
        "tls",
        "tlscacert",
        "tlscert",
        "tlskey",
        "tlsverify",
        "userland-proxy",
        "userns-remap",
        "allow-direct-routing",
        "default-network-opts",
        "proxies",
        "cdi-spec-dirs",
        "swarm-default-advertise-addr",
        "shutdown-timeout",
        "pidfile",
        "raw-logs",
        "exec-root",
        "oom-score-adjust",
    ]
)
_NESTED = ("builder", "features", "proxies")


def config(document: Document) -> DaemonConfig | None:
    """The configuration in a file; None when it is not Docker's."""
    root = document.tree.root
    if root is None or root.kind != "object":
        return None
    if not any(name in _KNOWN for name, _ in go_json.members(root)):
        return None
    path = document.source.path
    values: dict[str, Value[object]] = {}
    lists: dict[str, tuple[Value[str], ...]] = {}
    waiting = [("", root)]
    while waiting:
        prefix, node = waiting.pop()
        for key, value in go_json.members(node):
            name = prefix + key
            if value.kind == "array":
                lists[name] = tuple(_value(item, path, name) for item in value.items if item.text())
            elif value.kind != "object":
                values[name] = _value(value, path, name)
            elif name.split(".")[0] in _NESTED and name.count(".") < 3:
                waiting.append((f"{name}.", value))
    place = Place(path, Span(root.span.start, root.span.start + 1))
    return DaemonConfig(path, place, values, lists, tuple(_runtimes(root, path)))


def _runtimes(root: Node, path: str) -> list[DaemonRuntime]:
    entries: list[DaemonRuntime] = []
    runtimes = go_json.get(root, "runtimes")
    for key, value in runtimes.members if runtimes is not None else ():
        binary, args = go_json.get(value, "path"), go_json.get(value, "runtimeArgs")
        entries.append(
            DaemonRuntime(
                _value(key, path, "runtimes"),
                _value(binary, path, "runtimes") if binary is not None and binary.text() else None,
                tuple(
                    _value(item, path, "runtimeArgs")
                    for item in (args.items if args is not None else ())
                    if item.text()
                ),
            )
        )
    return entries


def _value(node: Node, path: str, key: str) -> Value[Any]:
    text = node.text()
    span = node.span
    if text is not None and span.end - span.start == len(text) + 2:
        span = Span(span.start + 1, span.end - 1)
    written = str(node.value) if text is None else text
    return Value(node.value, Origin("file", path, key), Place(path, span), written, (node,))
