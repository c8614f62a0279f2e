"""A word in runArgs is taken for the image.

## What it is

A word in `runArgs` that is neither an option nor the value of one. Docker takes the first of
those for the image, and everything behind it for the command.

## Why it is bad

Another image runs than the one in `image`, and options that follow are no options any more: what
was to harden the container is handed to a program as text. `up` reports success.

    "runArgs": ["--init", "other:latest", "--cap-drop=ALL"]    # no capability is dropped

## What to do instead

Write each option as one string, `--name=value`, and remove the word.

## Under gVisor

`--runtime=runsc` behind the word is lost as well.

## References

- https://docs.docker.com/reference/cli/docker/container/run/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_node, value_of
from sandboxd.rules._needs import Property
from sandboxd.rules._run_args import arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document

META = RuleMeta(
    id="runargs-image-override",
    summary="a word in runArgs is taken for the image",
    severity=Severity.ERROR,
    since="0.1.0",
    why="another image runs, and every option behind the word is lost",
    needs=(Property("devcontainer", "runArgs"),),
)


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    parsed = arguments(subject)
    if parsed is None or parsed.image is None:
        return
    word = parsed.image
    lost = [node.text() or "" for node in parsed.rest if (node.text() or "").startswith("-")]
    what = f", and `{lost[0]}` behind it is lost" if lost else ""
    yield at_node(
        META,
        subject,
        word,
        f"`{word.value}` is taken for the image{what}",
        str(word.value),
        remedies=(
            Remedy(
                "remove the word",
                safe=False,
                changes=(Remove(value_of(subject, word, "runArgs")),),
                caution="options behind it take effect",
            ),
        ),
    )
