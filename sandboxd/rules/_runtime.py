"""Severities that depend on whether a container shares the host's kernel.

A sandbox with a kernel of its own (gVisor) reduces everything that only widens the surface of the *host's
kernel*. It does not reduce what gives access to data, sockets or execution on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Severity

if TYPE_CHECKING:
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container


def shares_kernel(container: Container, host: HostFacts) -> bool:
    """Whether a container runs on the host's kernel: as the engine showed, else by the runtime's name.

    An unknown runtime counts as runc.
    """
    engine = host.engine
    if container.runtime is not None:
        runtime = engine.runtime(container.runtime.value) if engine else None
        if runtime is not None and runtime.gvisor is not None:
            return not runtime.gvisor
        return not container.uses_gvisor()
    if engine is None or engine.default_runtime is None:
        return True
    runtime = engine.runtime(engine.default_runtime)
    return runtime is None or not runtime.gvisor


def host_sockets_open(container: Container, host: HostFacts) -> bool:
    """Whether gVisor lets the container connect to sockets of the host (`host-uds`).

    The container can ask for it itself by an annotation, whatever the runtime's own flags say.
    """
    for annotation in container.annotations:
        if annotation.value.name == "dev.gvisor.flag.host-uds":
            return annotation.value.value in ("open", "all")
    engine = host.engine
    if engine is None or container.runtime is None:
        return False
    runtime = engine.runtime(container.runtime.value)
    return runtime is not None and runtime.flag("host-uds") in ("open", "all")


def filters_syscalls(container: Container, host: HostFacts) -> bool:
    """Whether a seccomp profile takes effect: gVisor ignores it unless `oci-seccomp` is on."""
    if shares_kernel(container, host):
        return True
    for annotation in container.annotations:
        if annotation.value.name == "dev.gvisor.flag.oci-seccomp":
            return annotation.value.value == "true"
    engine = host.engine
    runtime = engine.runtime(container.runtime.value) if engine and container.runtime else None
    return runtime is not None and runtime.flag("oci-seccomp") in ("", "true")


def mounts_anything(container: Container) -> bool:
    """Whether root inside has the capability to mount, so that only a filter or a profile forbids it."""
    return container.is_privileged() or any(
        cap.value in ("SYS_ADMIN", "ALL") for cap in container.cap_add
    )


def control_severity(container: Container, host: HostFacts) -> Severity:
    """The severity of a disabled control over the host's kernel.

    Alone it takes a further fault to get out; with the capability to mount it was what held.
    """
    shared = Severity.ERROR if mounts_anything(container) else Severity.WARNING
    return kernel_severity(container, host, shared, Severity.HINT)


def kernel_severity(
    container: Container, host: HostFacts, shared: Severity, sandboxed: Severity
) -> Severity:
    """`shared` on the host's kernel, `sandboxed` on a kernel of the container's own."""
    return shared if shares_kernel(container, host) else sandboxed
