"""The image's label undoes an option that your file repeats.

## What it is

The label has the same security option as your file, word by word, and further on its opposite.

## Why it is bad

The dev container CLI keeps the first of equal strings, so your line counts where the label has
it, and the label's next line wins:

    label: ["seccomp=P", "seccomp=unconfined"], file: ["seccomp=P"]    # Seccomp: 0

It looks like hardening, and cannot be seen in the file.

## What to do instead

Write the option in another spelling than the label (`seccomp:P`), and look at the container
after its start: `sandboxd drift`.

Build a small image of your own from it with an empty label, and name that:

    printf 'FROM IMAGE\\nLABEL devcontainer.metadata=""\\n' | docker build -t dev-quiet -

## Under gVisor

gVisor ignores these options, so it is a hint.
Seen with runsc 20240729.

## References

- https://containers.dev/implementors/spec/#merge-logic
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Field
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="label-shadowed-security-opt",
    summary="the image's label undoes an option that your file repeats",
    severity=Severity.ERROR,
    since="0.1.0",
    why="your option counts where the label has it, and the label's opposite comes later",
    needs=(Field("image_label"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    label = subject.image_label
    if label is None:
        return
    options = [option for option in subject.security_opt if option.origin.kind == "label"]
    last = {option.value.name: option for option in options}
    for option in options:
        later = last[option.value.name]
        if later.value.value not in ("unconfined", "false", "disable"):
            continue
        if option.value.value == later.value.value:
            continue
        yield at_value(
            META,
            label,
            f"the label has `{option.written}` and then `{later.written}`: "
            "the same line in your file has no effect",
            option.written,
            kernel_severity(subject, host, Severity.ERROR, Severity.HINT),
        )
