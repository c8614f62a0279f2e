"""Graphics processors are passed in.

## What it is

`--gpus`, Compose `gpus`, or `hostRequirements.gpu`, for which the dev container CLI adds `--gpus
all`.

## Why it is bad

The toolkit runs hooks on the host before the container is isolated; the image can talk to them
by its environment (CVE-2024-0132, CVE-2025-23266). The driver itself is large and takes orders
from inside.

## What to do instead

Leave it out where nothing needs it; `[devices] gpus` in sandboxd.toml passes devices into a sandbox after
`sandboxd trust add`. Keep the NVIDIA Container Toolkit at 1.17.8 or newer, name
single devices (`--gpus device=0`), and use images that you know.

## Under gVisor

The hooks run on the host all the same, and gVisor hands most of the driver through (`nvproxy`).
Not tried on a build.

## References

- https://nvd.nist.gov/vuln/detail/CVE-2025-23266
- https://gvisor.dev/docs/user_guide/gpu/
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
    id="gpu-passthrough",
    summary="graphics processors are passed in",
    severity=Severity.HINT,
    since="0.1.0",
    why="hooks of the toolkit run on the host, and the driver takes orders from inside",
    needs=(Field("gpus"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.gpus
    if value is None:
        return
    yield at_value(
        META,
        value,
        "hooks of the graphics toolkit run on the host before the container is isolated",
        value.value,
    )
