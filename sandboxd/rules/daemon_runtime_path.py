"""A runtime is named by a relative path.

## What it is

The `path` of a runtime that is neither absolute nor a bare name.

## Why it is bad

The engine runs it as root for every container. A relative path is taken from the engine's working
folder:

    "runtimes": {"runsc": {"path": "./bin/runsc"}}

Whether the file is there, and who may write it, is not looked at here: `sandboxd doctor` does.

## What to do instead

Write the absolute path, of a file that only root may change.

## Under gVisor

No difference: it is about the engine, not about what runs under it.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
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
    from sandboxd.model.daemon_config import DaemonConfig

META = RuleMeta(
    id="daemon-runtime-path",
    summary="a runtime is named by a relative path",
    severity=Severity.ERROR,
    since="0.1.0",
    why="what is run as root depends on where the engine was started",
    needs=(Field("runtimes"),),
)


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding]:
    for runtime in subject.runtimes:
        path = runtime.path
        if path is not None and "/" in path.value and not path.value.startswith("/"):
            yield at_value(
                META,
                path,
                f"`{path.value}` is taken from wherever the engine was started, and runs as root",
                path.value,
            )
