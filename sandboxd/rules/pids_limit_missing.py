"""The number of processes is not limited.

## What it is

No `--pids-limit`, no Compose `pids_limit`.

## Why it is bad

A fork bomb, or a test that runs away, takes all processes of the machine, until nobody can log
in:

    :(){ :|:& };:

## What to do instead

`--pids-limit=4096` is more than an editor and a build need.

## Under gVisor

A pids limit there counts gVisor's own threads, and ends the sandbox without a word when it is
reached. `--ulimit nproc=4096` limits the processes of the user inside, and is enough.
Seen with runsc 20240729.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#pids-limit
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Add, Remedy, RuleMeta, Severity
from sandboxd.rules._finding import at_container
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="pids-limit-missing",
    summary="the number of processes is not limited",
    severity=Severity.HINT,
    since="0.1.0",
    why="a loop that forks takes the machine down",
    needs=(Field("image"), Field("build")),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    if subject.image is None and subject.build is None:
        return
    # Kubernetes takes it from the node's kubelet, not from a manifest.
    if not subject.is_whole() or subject.pids_limit is not None or subject.on_cluster:
        return
    if subject.uses_gvisor() and any(limit.value.name == "nproc" for limit in subject.ulimits):
        return
    yield at_container(
        META,
        subject,
        "a loop that forks can take all processes of this machine",
        "pids-limit",
        (
            Remedy(
                "allow 4096 processes",
                safe=False,
                changes=(Add("pids_limit", "4096"),),
                caution="programs with more processes and threads fail",
            ),
        ),
    )
