"""A build step runs what it fetches.

## What it is

`curl ... | sh` and its relatives in a `RUN` of a Dockerfile, or in two steps: `curl -o x ...`, then `sh x`,
`python x` or `chmod +x x && ./x`, in the same `RUN` or in a later one, with nothing between them that compares
the file with a hash or a signature.

## Why it is bad

What is run is decided by the server at the time of the build, and it can answer a shell otherwise
than a browser. Nobody reviewed it, and it runs as root inside the build.

    RUN curl -s http://get.example/install.sh | bash

Over plain `http`, or with the certificate check off, anybody on the way decides: that is a
warning. Over `https` it is a hint: installers of known projects come that way.

## What to do instead

A package with a version; else fetch a file of a fixed version, compare its hash, then run it:
`ADD --checksum=sha256:... https://... /tmp/install.sh`.

## Under gVisor

No difference: images are built by BuildKit on the kernel of the host, whatever runtime the
container uses.

## References

- https://docs.docker.com/reference/dockerfile/#add---checksum
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._commands import remote_scripts
from sandboxd.rules._fetches import Downloads
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._scripts import matches
from sandboxd.syntax.node import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.image import Image
    from sandboxd.model.values import Value

META = RuleMeta(
    id="dockerfile-curl-pipe-shell",
    summary="a build step runs what it fetches",
    severity=Severity.WARNING,
    since="0.1.0",
    why="the server, or whoever is on the way to it, decides what runs as root in the build",
    needs=(Field("stages"),),
)

# With what may stand before it where a shell runs the result, and no longer than a line is.
_FETCHED = (
    r"(?:\b(?:ba|z|da)?sh\s{1,5}(?:-c\s{1,5})?[\"']?(?:<\(|\$\(|`)\s{0,5}"
    r"|(?:\bsource|\.|\beval)\s{1,5}[\"']?(?:<\(|\$\(|`)\s{0,5})?"
    r"\b(?:curl|wget)\b[^;&\n]{0,400}"
)
_OPEN = r"\bhttp://|\s(?:-[A-Za-z]{0,8}k[A-Za-z]{0,8}|--insecure|--no-check-certificate)(?=\s|\Z)"


def check(subject: Image, host: HostFacts) -> Iterator[Finding]:
    for match, value in matches(subject, _FETCHED):
        if next(remote_scripts(match[0]), None) is None:
            continue
        is_open = re.search(_OPEN, match[0]) is not None
        how = (
            "runs what anybody on the way may have put there" if is_open else "runs what it fetches"
        )
        severity = Severity.WARNING if is_open else Severity.HINT
        yield at_value(META, value, f"`{readable(value.written)}` {how}", value.written, severity)
    for stage in subject.stages:
        downloads = Downloads()
        for instruction in subject.steps(stage):
            for script in instruction.scripts() if instruction.keyword == "RUN" else ():
                for run in downloads.read(script.text):
                    span = script.span(run.start, run.end)
                    written = " ".join(script.text[run.start : run.end].split())
                    yield _of_file(subject.value(written, span, written, "RUN"), run.fetch)


def _of_file(run: Value[str], fetch: str) -> Finding:
    fetch = " ".join(fetch.split())
    is_open = re.search(_OPEN, fetch) is not None
    way = ", where anybody on the way may have put it" if is_open else ""
    message = f"`{readable(run.written)}` runs what `{readable(fetch)}` fetched{way}"
    severity = Severity.WARNING if is_open else Severity.HINT
    return at_value(META, run, message, run.written, severity)
