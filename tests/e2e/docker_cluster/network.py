"""The network of the Pods: a wire for each, Services by address translation, and policies where they hold.

All of it is in the network namespace of the private engine, and ends with that. Every packet between two Pods
is forwarded there, so that a policy meets it, whatever the runtime of the Pod.
"""

from __future__ import annotations

import ipaddress
import itertools
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tests.e2e.docker_cluster.store import Object, Store

PODS = "10.244.0.0/16"
_API_PORT = 6443
_KUBELET_PORTS = (10250, 10255)

# The kernel takes the links of a namespace that is gone away later: one of an earlier cluster may be there.
_ATTACH = """
ip link delete pod{n} 2>/dev/null || true
ip link add pod{n} type veth peer name eth0 netns {pid}
ip address add 10.244.{n}.1/24 dev pod{n}
ip link set pod{n} up
nsenter -t {pid} -n sh -ec '
ip link set lo up
ip address add 10.244.{n}.2/24 dev eth0
ip link set eth0 up
ip route add default via 10.244.{n}.1'
"""


class Network:
    """`enforced` says whether policies hold; after a change of it call `sync`."""

    def __init__(self, engine_pid: int, store: Store) -> None:
        self.enforced = True
        self.drops = True
        """Whether what a policy forbids is dropped, as most networks do; else it is refused."""
        self.pid, self._store = engine_pid, store
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._loaded = ""
        self.sync()

    def attach(self, pid: int) -> str:
        """Wire the network namespace of a process to the others; returns its address."""
        number = next(self._numbers)
        self._run(_ATTACH.format(n=number, pid=pid))
        return f"10.244.{number}.2"

    def sync(self) -> None:
        """Let Services and policies be what the objects say."""
        with self._lock:
            nat, rules = "\n".join(self._services()), "\n".join(self._policies())
            text = f"*nat\n{nat}\nCOMMIT\n*filter\n{rules}\nCOMMIT\n"
            if text != self._loaded:
                self._run("iptables-restore --wait 60 --noflush", text)
                if not self._loaded:
                    self._run(
                        "iptables --wait 60 -I FORWARD -j PODS\n"
                        # The node is not forwarded to, and is outside of the Pods all the same.
                        f"iptables --wait 60 -I INPUT -s {PODS} -p tcp -m multiport --dports "
                        f"{','.join(map(str, (_API_PORT, *_KUBELET_PORTS)))} -j PODS-OUT\n"
                        "iptables --wait 60 -t nat -I PREROUTING -j SERVICES\n"
                        f"iptables --wait 60 -t nat -I POSTROUTING -s {PODS} ! -d {PODS} -j MASQUERADE"
                    )
                self._loaded = text

    def _run(self, script: str, text: str = "") -> None:
        nsenter = ["nsenter", "-t", str(self.pid), "-n", "sh", "-ec", script]
        done = subprocess.run(nsenter, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{script}\n{text}\n{done.stderr}"

    def _services(self) -> Iterator[str]:
        yield ":SERVICES - [0:0]"
        yield f"-A SERVICES -s {PODS} -d 10.96.0.1 -p tcp --dport 443 -j REDIRECT --to-ports {_API_PORT}"
        for service in self._store.all("Service"):
            address = service["spec"].get("clusterIP")
            ready = self.endpoints(service)
            if address in (None, "None") or not ready:
                continue
            for port in service["spec"].get("ports", ()):
                match = f"-d {address} -p {port['protocol'].lower()} --dport {port['port']}"
                yield f"-A SERVICES {match} -j DNAT --to-destination {ready[0]}:{port['targetPort']}"

    def endpoints(self, service: Object) -> list[str]:
        """The addresses of the Pods of a Service that can be reached by it."""
        wanted = service["spec"].get("selector")
        if not wanted:
            return []
        unready = service["spec"].get("publishNotReadyAddresses", False)
        pods = self._addresses(service["metadata"]["namespace"], _matches(wanted))
        return [a for a, pod in pods if unready or _is_ready(pod)]

    def _addresses(self, namespace: str, test: Callable[[Object], bool]) -> list[tuple[str, Object]]:  # fmt: skip
        return [
            (pod["status"]["podIP"], pod)
            for pod in self._store.all("Pod", namespace)
            if pod.get("status", {}).get("podIP") and test(pod)
            and pod["status"].get("phase") not in ("Succeeded", "Failed")
        ]  # fmt: skip

    def _policies(self) -> Iterator[str]:
        yield from (":PODS - [0:0]", ":PODS-OUT - [0:0]", ":PODS-IN - [0:0]")
        yield "-A PODS -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
        yield f"-A PODS -s {PODS} -j PODS-OUT"
        yield f"-A PODS -d {PODS} -j PODS-IN"
        yield f"-A PODS -s {PODS} -j ACCEPT"
        yield f"-A PODS -d {PODS} -j ACCEPT"
        if not self.enforced:
            return
        verdict = "DROP" if self.drops else "REJECT"
        closed: dict[str, None] = {}
        for policy in self._store.all("NetworkPolicy"):
            spec, namespace = policy["spec"], policy["metadata"]["namespace"]
            selected = self._addresses(namespace, _selects(spec["podSelector"]))
            for direction, chain, ours, theirs in (
                ("Egress", "PODS-OUT", "-s", "-d"),
                ("Ingress", "PODS-IN", "-d", "-s"),
            ):
                if direction not in spec.get("policyTypes", ["Ingress"]):
                    continue
                for address, _ in selected:
                    closed[f"-A {chain} {ours} {address} -j {verdict}"] = None
                    for way in spec.get(direction.lower(), ()):
                        peers = way.get("to" if direction == "Egress" else "from")
                        for peer in self._peers(peers, namespace):
                            where = f" {theirs} {peer}" if peer else ""
                            for port in _ports(way.get("ports")):
                                yield f"-A {chain} {ours} {address}{where}{port} -j RETURN"
        yield from closed

    def _peers(self, peers: list[Any] | None, namespace: str) -> Iterator[str]:
        """Addresses and networks; '' for all."""
        if not peers:
            yield ""
        for peer in peers or ():
            if block := peer.get("ipBlock"):
                yield from _without(block["cidr"], block.get("except", ()))
                continue
            places = [namespace]
            if "namespaceSelector" in peer:
                test = _selects(peer["namespaceSelector"])
                places = [n["metadata"]["name"] for n in self._store.all("Namespace", test=test)]
            for place in places:
                for address, _ in self._addresses(place, _selects(peer.get("podSelector", {}))):
                    yield address


def _ports(ports: list[Any] | None) -> Iterator[str]:
    if not ports:
        yield ""
    for port in ports or ():
        protocol = f" -p {port.get('protocol', 'TCP').lower()}"
        yield f"{protocol} --dport {port['port']}" if "port" in port else protocol


def _without(network: str, holes: Any) -> list[str]:
    left = [ipaddress.IPv4Network(network)]
    for hole in map(ipaddress.IPv4Network, holes):
        left = [
            part
            for each in left
            for part in (each.address_exclude(hole) if hole.subnet_of(each) else [each])
            if not part.subnet_of(hole)
        ]
    return [str(each) for each in left]


def _is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _matches(labels: dict[str, str]) -> Callable[[Object], bool]:
    return lambda value: labels.items() <= value["metadata"].get("labels", {}).items()


def _selects(selector: dict[str, Any]) -> Callable[[Object], bool]:
    assert selector.keys() <= {"matchLabels"}, "this cluster selects by `matchLabels` alone"
    return _matches(selector.get("matchLabels", {}))
