"""A service beside the sandboxed one is not sandboxed.

## What it is

A devcontainer.json with Compose whose own service runs under gVisor, while another service that is
started with it does not, and is privileged, shares namespaces of the host or mounts the engine's
socket or a host path.

## Why it is bad

What the dev container tools and sandboxd set goes to one service only. The others start as their
Compose file says, under the engine's usual runtime. Code in the sandbox reaches them over the
project's network, and what it takes over there is not in a sandbox.

    services:
      dev: { image: dev, runtime: runsc }
      helper: { image: helper, privileged: true }    # reachable as `helper`, on the host's kernel

## What to do instead

`runtime: runsc` on the other service too, or take away what it has of the host. Services that are
not needed for development: name those that are in `runServices`.

## Under gVisor

This is about gVisor: the weak settings by themselves have rules of their own.

## References

- https://containers.dev/implementors/json_reference/#compose-specific
- https://gvisor.dev/docs/user_guide/faq/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import canonical, host_mounts
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import shares_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container
    from sandboxd.model.values import Value

META = RuleMeta(
    id="compose-sidecar-unsandboxed",
    summary="a service beside the sandboxed one is not sandboxed",
    severity=Severity.ERROR,
    since="0.1.0",
    why="code in the sandbox reaches it over the network, and from there the host",
    needs=(Field("sidecars"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    if shares_kernel(subject, host):
        return
    for sidecar in subject.sidecars:
        if not shares_kernel(sidecar, host):
            continue
        weak = next(_weak(sidecar, host), None)
        if weak is not None:
            value, what = weak
            message = f"`{sidecar.name}` {what}, and runs outside of the sandbox beside it"
            yield at_value(META, value, message, f"{sidecar.name}: {what}")


def _weak(container: Container, host: HostFacts) -> Iterator[tuple[Value[Any], str]]:
    """The parts of the host that a container reaches, the worst first."""
    if container.privileged is not None and container.privileged.value:
        yield container.privileged, "is privileged"
    if container.api_socket is not None and container.api_socket.value:
        yield container.api_socket, "controls the engine"
    for mount, path in host_mounts(container, host):
        if path.endswith(".sock"):
            yield mount, f"mounts `{mount.written}`"
    for space in (container.pid, container.network, container.ipc, container.userns):
        if space is not None and space.value == "host":
            yield space, f"shares `{space.origin.key}` with the host"
    for mount, path in host_mounts(container, host):
        outside = container.workspace is None or not lies_in(
            path, canonical(container.workspace, host.home)
        )
        if outside and not mount.value.read_only:
            yield mount, f"mounts `{mount.written}`"
