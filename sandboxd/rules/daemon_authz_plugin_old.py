"""Authorization plugins can be passed by.

## What it is

`authorization-plugins` on an engine older than 29.3.1, or 25.0.16 of its branch. Where the package of a
distribution is known to have the repair, its number decides.

## Why it is bad

CVE-2024-41110 and CVE-2026-34040, which passes the repair of the first: the engine hands a request without
its body to the plugin, which lets it pass, and then acts on the body. Whoever the plugin was to hold back
is root:

    curl -H 'Content-Length: 0' --unix-socket /var/run/docker.sock ...

## What to do instead

Update the engine to 29.3.1. For a package of a distribution that is not known to have the repair this
is a hint: its changelog has the answer.

## Under gVisor

No difference: it is about the engine, not about what runs under it.

## References

- https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file
- https://github.com/moby/moby/security/advisories/GHSA-v23v-6jw2-98fq
- https://nvd.nist.gov/vuln/detail/CVE-2026-34040
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity, Skipped
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.daemon_config import DaemonConfig

META = RuleMeta(
    id="daemon-authz-plugin-old",
    summary="authorization plugins can be passed by",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a request with an empty body reaches the engine without the plugin seeing it",
    needs=(Field("lists"),),
)

_ADVISORY = "CVE-2026-34040"


def check(subject: DaemonConfig, host: HostFacts) -> Iterator[Finding | Skipped]:
    plugins = subject.strings("authorization-plugins")
    if not plugins:
        return
    engine = host.engine
    if engine is None or not engine.version:
        yield Skipped(
            subject.path,
            f"`{plugins[0].value}` is passed by on old engines, and the engine's version is not known",
            "`sandboxd doctor` asks the engine",
        )
        return
    from sandboxd.host.advisories.versions import warning

    warned = warning(host, _ADVISORY)
    if warned is not None:
        yield at_value(
            META,
            plugins[0],
            f"`{plugins[0].value}` is passed by on this engine ({engine.version}): "
            f"repaired in {warned.repaired}",
            plugins[0].value,
            Severity.HINT if warned.repackaged else Severity.WARNING,
        )
