"""Published ports: `--publish`, Compose `ports`, `appPort`.

The number that is open is the one of the host; the one inside says which program answers there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sandboxd.findings import Remedy, Replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.container import Container
    from sandboxd.model.values import Value

# Container port -> the program that usually listens there. Each gives whoever connects data or
# execution, often without a password. `tests/rules/lists/ports.toml` has the source of each.
SENSITIVE = {
    22: "SSH",
    23: "Telnet",
    139: "SMB",
    389: "LDAP",
    445: "SMB",
    873: "rsync",
    1099: "Java RMI",
    1433: "SQL Server",
    1521: "Oracle",
    1883: "MQTT",
    2019: "the admin API of Caddy",
    2049: "NFS",
    2181: "ZooKeeper",
    2345: "the Go debugger",
    2375: "the Docker API",
    2376: "the Docker API with TLS",
    2379: "etcd",
    2380: "etcd",
    3306: "MySQL",
    3389: "remote desktop",
    3632: "distcc",
    4222: "NATS",
    4369: "Erlang's port mapper",
    4444: "Selenium",
    5005: "the Java debugger",
    5037: "the Android debug bridge",
    5432: "PostgreSQL",
    5555: "the Android debug bridge",
    5601: "Kibana",
    5672: "RabbitMQ",
    5678: "the Python debugger",
    5858: "the Node debugger",
    5900: "VNC",
    5901: "VNC",
    5984: "CouchDB",
    6333: "Qdrant",
    6334: "Qdrant",
    6379: "Redis",
    6443: "the Kubernetes API",
    7077: "Spark",
    7199: "JMX of Cassandra",
    7474: "Neo4j",
    7687: "Neo4j",
    8086: "InfluxDB",
    8529: "ArangoDB",
    8545: "an Ethereum node",
    8888: "Jupyter",
    8983: "Solr",
    9042: "Cassandra",
    9092: "Kafka",
    9200: "Elasticsearch",
    9222: "the debugger of Chrome",
    9229: "the Node debugger",
    9300: "Elasticsearch",
    10250: "the kubelet",
    11211: "memcached",
    11434: "Ollama",
    15672: "RabbitMQ",
    19530: "Milvus",
    26257: "CockroachDB",
    27017: "MongoDB",
    28015: "RethinkDB",
    33060: "MySQL",
    61616: "ActiveMQ",
}
# Ports that many programs share: the name of the image says which of them listens.
BY_IMAGE = {
    (8000, "chroma"): "Chroma",
    (8080, "adminer"): "Adminer",
    (8080, "jenkins"): "Jenkins",
    (8080, "weaviate"): "Weaviate",
    (8081, "mongo-express"): "mongo-express",
    (8123, "clickhouse"): "ClickHouse",
    (9000, "clickhouse"): "ClickHouse",
    (9000, "minio"): "MinIO",
    (9000, "portainer"): "Portainer",
    (9443, "portainer"): "Portainer",
    (5678, "n8n"): "n8n",
    (8200, "vault"): "Vault",
    (8500, "consul"): "Consul",
    (50000, "db2"): "Db2",
}
# Ports that count only where the image is built here or has one of these words in its name.
ONLY_IN = {
    5005: ("java", "jdk", "jre", "temurin", "maven", "gradle", "tomcat", "spring"),
    9200: ("elastic", "opensearch"),
    9300: ("elastic", "opensearch"),
    5678: ("python", "debugpy"),
    8888: (
        "jupyter",
        "notebook",
        "datascience",
        "tensorflow",
        "pytorch",
        "conda",
        "python",
        "spark",
    ),
}
# Over UDP these are not served, save for one.
_UDP = ("memcached",)
# Servers that are there for others: who publishes them under these numbers means it.
PUBLIC_SERVERS = {
    "25": "mail",
    "53": "names",
    "67": "DHCP",
    "80": "the web",
    "110": "mail",
    "143": "mail",
    "443": "the web",
    "465": "mail",
    "587": "mail",
    "993": "mail",
    "995": "mail",
    "1194": "OpenVPN",
    "4190": "mail filters",
    "51820": "WireGuard",
}
_EVERY = ("", "0.0.0.0", "::", "[::]")  # noqa: S104
# Without a network, or with another's, docker publishes nothing.
_UNPUBLISHED = ("host", "none", "container", "service")


class Published(NamedTuple):
    """A port that other machines can reach.

    `host` is the number or range that is open, '' where the engine picks one; `port` is the one inside, and
    `service` what usually listens there, or ''.
    """

    value: Value[str]
    host: str
    port: str
    service: str

    def opening(self) -> str:
        """The part of the host that is open, for a message."""
        if not self.host:
            return f"a port of this machine that the engine picks (`{self.port}` inside)"
        if "-" in self.host and "-" not in self.port:
            return f"one of the ports `{self.host}` of this machine (`{self.port}` inside)"
        inside = "" if self.host == self.port else f" (`{self.port}` inside)"
        return f"port `{self.host}` of this machine{inside}"

    def is_public_server(self) -> bool:
        """Whether a server is meant for others, on the port that they expect."""
        return self.value.origin.key == "ports" and self.host in PUBLIC_SERVERS


def published(container: Container) -> Iterator[Published]:
    """The ports that are open on all addresses of the host."""
    network = container.network.value if container.network is not None else ""
    if network.partition(":")[0] in _UNPUBLISHED:
        return
    # In an image of one's own, or of a dev container, anything may listen.
    is_named = container.image is not None and container.build is None
    image = container.image.value if container.image is not None and is_named else ""
    for value in container.ports:
        address, host, target, protocol = split(value.value)
        if address in _EVERY and target.replace("-", "").isdecimal():
            own = "" if value.origin.key != "ports" else image
            yield Published(value, host, target, _service(target, protocol, own))


def loopback(port: Published) -> tuple[Remedy, ...]:
    """The remedy that publishes the port on the loopback address, where the port is written as one text."""
    written = port.value.written
    address, host, target, _ = split(written)
    if "$" in written or address not in _EVERY or not target:
        return ()
    protocol = written[len(written.partition("/")[0]) :]
    return (
        Remedy(
            "publish on the loopback only",
            safe=False,
            changes=(Replace(port.value, f"127.0.0.1:{host}:{target}{protocol}"),),
            caution="other machines and `host.docker.internal` cannot connect any more",
        ),
    )


def split(text: str) -> tuple[str, str, str, str]:
    """Address and port of the host, port inside and protocol of ``[[address:]port:]port[/protocol]``.

    What is not written is ''.
    """
    ends, _, protocol = text.partition("/")
    head, _, target = ends.rpartition(":")
    if head.startswith("["):
        address, _, host = head.partition("]")
        return address + "]", host.lstrip(":"), target, protocol
    address, colon, host = head.rpartition(":")
    if not colon and head.count(".") == 3:
        address, host = head, ""
    return address, host, target, protocol


def _service(port: str, protocol: str, image: str) -> str:
    """The service that usually listens on a port; of a range the first known one."""
    first, _, last = port.partition("-")
    if len(first) > 5 or len(last) > 5 or not first.isdecimal():
        return ""
    start = int(first)
    end = int(last) if last.isdecimal() else start
    for (number, word), service in BY_IMAGE.items():
        if start <= number <= end and word in image.rpartition("/")[2]:
            return service
    for number, service in SENSITIVE.items():
        if not start <= number <= end or (protocol == "udp" and service not in _UDP):
            continue
        if not image or any(word in image for word in ONLY_IN.get(number, ("",))):
            return service
    return ""
