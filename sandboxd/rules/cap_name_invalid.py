"""A capability that does not exist is named.

## What it is

A name in `capAdd`, `--cap-add` or `--cap-drop` that is none of the kernel's capabilities. Any
case, with or without `CAP_`, is fine.

## Why it is bad

The engine refuses to create the container. A misspelt name that is to be dropped is worse than
none, since it looks as if it were handled.

    invalid CapAdd: unknown capability: "CAP_SYS_PTRCE"

## What to do instead

Correct the name; `man 7 capabilities` has the list.

## Under gVisor

No difference: the engine checks the names.

## References

- https://man7.org/linux/man-pages/man7/capabilities.7.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Replace, RuleMeta, Severity
from sandboxd.model.capabilities import CAPABILITIES
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

KNOWN_CAPABILITIES = frozenset(("ALL", *CAPABILITIES))

META = RuleMeta(
    id="cap-name-invalid",
    summary="a capability does not exist",
    severity=Severity.ERROR,
    since="0.1.0",
    why="the engine refuses to create the container",
    needs=(Field("cap_add"), Field("cap_drop")),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in (*subject.cap_add, *subject.cap_drop):
        if value.value in KNOWN_CAPABILITIES or "$" in value.value:
            continue
        near = _nearest(value.value)
        hint = f": did you mean `{near}`" if near else ""
        yield at_value(
            META,
            value,
            f"`{value.written}` is no capability, and the engine refuses it{hint}",
            value.value,
            remedies=(
                (
                    Remedy(
                        f"write `{near}`",
                        safe=False,
                        changes=(Replace(value, near),),
                        caution="the container gets or loses that capability",
                    ),
                )
                if near
                else ()
            ),
        )


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name[:40], sorted(KNOWN_CAPABILITIES), n=1, cutoff=0.8)
    return near[0] if near else ""
