"""Published ports: `--publish`, Compose `ports`, `appPort`."""

from __future__ import annotations

from sandboxd._typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.container import Container
    from sandboxd.model.values import Value

# What listens there gives whoever connects data or execution, often without a password.
SENSITIVE = {
    22: "SSH",
    445: "SMB",
    1433: "SQL Server",
    1521: "Oracle",
    2345: "the Go debugger",
    2375: "the Docker API",
    2376: "the Docker API",
    2379: "etcd",
    3306: "MySQL",
    3389: "remote desktop",
    4444: "Selenium",
    5005: "the Java debugger",
    5432: "PostgreSQL",
    5678: "the Python debugger",
    5900: "VNC",
    5984: "CouchDB",
    6379: "Redis",
    7687: "Neo4j",
    8888: "Jupyter",
    9042: "Cassandra",
    9200: "Elasticsearch",
    9229: "the Node debugger",
    11211: "memcached",
    27017: "MongoDB",
}


_EVERY = ("", "0.0.0.0", "::", "[::]")  # noqa: S104


class Published(NamedTuple):
    """A port that other machines reach; `service` is what usually listens there, or ''."""

    value: Value[str]
    port: str
    service: str


def published(container: Container) -> Iterator[Published]:
    """The ports that are open on all addresses of the host."""
    for value in container.ports:
        address, target = _split(value.value)
        if address in _EVERY:
            yield Published(value, target, _service(target))


def _split(text: str) -> tuple[str, str]:
    """The address of the host and the port inside of ``[[address:]port:]port[/protocol]``."""
    text = text.partition("/")[0]
    head, _, target = text.rpartition(":")
    if not head:
        return "", target
    if head.startswith("["):
        return head[: head.find("]") + 1], target
    address, colon, _ = head.rpartition(":")
    if colon:
        return address, target
    # `127.0.0.1:80`: an address and no port of the host, which is then chosen.
    return (head if head.count(".") == 3 else ""), target


def _service(port: str) -> str:
    """A range counts as its first sensitive port."""
    first, _, last = port.partition("-")
    if not first.isdecimal() or len(first) > 5:
        return ""
    end = int(last) if last.isdecimal() and len(last) <= 5 else int(first)
    for number, service in SENSITIVE.items():
        if int(first) <= number <= end:
            return service
    return ""
