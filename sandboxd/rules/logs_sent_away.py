"""The output of the container goes to another machine.

## What it is

An option of the logging driver with an address that is not this machine: `syslog-address`,
`gelf-address`, `fluentd-address`, `splunk-url`, or a driver that writes to a cloud.

## Why it is bad

All that the container prints leaves the host by the engine, past every rule about the container's own
network: secrets that a program prints, and whatever code inside wants to send, in a container without a
network as well.

    echo "$(cat /workspaces/*/.env)"    # arrives at the log server

## What to do instead

Let the engine's own driver write to the disk, and collect the logs from there. On purpose: say so in a
suppression comment.

## Under gVisor

No difference: the engine sends, not the container.

## References

- https://docs.docker.com/engine/logging/configure/
- https://docs.docker.com/engine/logging/drivers/syslog/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="logs-sent-away",
    summary="the output of the container goes to another machine",
    severity=Severity.HINT,
    since="0.1.0",
    why="what is printed leaves the host past every rule about the network",
    needs=(Field("log_driver"), Field("log_options")),
)

# Options that hold an address, and drivers that need none.
ADDRESSES = ("syslog-address", "gelf-address", "fluentd-address", "splunk-url")
CLOUDS = ("awslogs", "gcplogs", "logentries")
_HERE = ("127.", "localhost", "[::1]", "::1", "/")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    driver = subject.log_driver
    if driver is not None and driver.value in CLOUDS:
        message = (
            f"`{driver.written}` as the logging driver sends what the container prints to a cloud"
        )
        yield at_value(META, driver, message, driver.value)
    for option in subject.log_options:
        name, address = option.value
        if name in ADDRESSES and address and not _stays(address):
            message = f"`{name}` sends what the container prints to `{address}`"
            yield at_value(META, option, message, f"{name}={address}")


def _stays(address: str) -> bool:
    """True if ``scheme://host:port`` is a socket or a port of this machine."""
    scheme, _, rest = address.rpartition("://")
    return scheme in ("unix", "unixgram") or rest.startswith(_HERE)
