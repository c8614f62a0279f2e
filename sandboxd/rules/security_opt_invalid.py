"""A security option that the engine does not know.

## What it is

A name or value in `securityOpt` or `--security-opt` that docker refuses: `seccomp=default`,
`seccomp=runtime/default`, `no_new_privileges`, `apparmor` without a value.

## Why it is bad

The container does not start, or the option is read as the name of a file. `default` is the word
of Kubernetes; docker's own filter is called `builtin` and is on without any option.

    docker: opening seccomp profile (default) failed: open default: no such file or directory

## What to do instead

Remove `seccomp=default`: that is what you have without it. Write `no-new-privileges`.

## Under gVisor

No difference: docker and the engine read the option.

## References

- https://docs.docker.com/reference/cli/docker/container/run/#security-opt
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="security-opt-invalid",
    summary="the engine does not know the security option",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the container does not start, and no control comes of it",
    needs=(Field("security_opt"),),
)


_NAMES = {
    "seccomp",
    "apparmor",
    "label",
    "no-new-privileges",
    "systempaths",
    "writable-cgroups",
    "credentialspec",
}
# Names that other tools give to the engine's own filter.
_DEFAULTS = ("default", "runtime/default", "RuntimeDefault", "docker/default")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in subject.security_opt:
        name, text = value.value
        if "$" in name:
            continue
        remedies: tuple[Remedy, ...] = ()
        if name == "seccomp" and text in _DEFAULTS:
            message = f"`{value.written}` is read as the name of a file: docker's own filter needs no option"
            remedies = (Remedy("remove it: the filter is on without", True, (Remove(value),)),)
        elif name not in _NAMES:
            message = f"`{value.written}` is no security option that docker knows"
            if name.replace("_", "-") == "no-new-privileges":
                replace = Replace(value, "no-new-privileges=true")
                caution = "`sudo` inside stops working"
                remedies = (Remedy("write `no-new-privileges`", False, (replace,), caution),)
        elif not text:
            message = f"`{value.written}` has no value"
        else:
            continue
        yield at_value(META, value, message, f"{name}={text}", remedies=remedies)
