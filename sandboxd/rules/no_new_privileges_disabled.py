"""`no-new-privileges` is switched off.

## What it is

`no-new-privileges=false` (or `:false`) is the last such option, and so the one in force. An
earlier `no-new-privileges=true`, in `runArgs` for instance, has no effect then.

## Why it is bad

It voids a control that the engine (`"no-new-privileges": true` in its daemon.json) or another
line of the file switched on: setuid programs raise privileges again.

    sudo -l    # works again for everybody in the container

## What to do instead

Remove it, or say `no-new-privileges=true`. If `sudo` is needed in a hook, install those packages
when the image is built.

## Under gVisor

gVisor ignores the setuid bit unless it is started with `--allow-suid`, so it is a hint.
Seen with runsc 20240729, which does not have that option.

## References

- https://docs.docker.com/reference/cli/dockerd/
- https://docs.kernel.org/userspace-api/no_new_privs.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Related, Remedy, Remove, Replace, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._needs import Has
from sandboxd.rules._runtime import kernel_severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="no-new-privileges-disabled",
    summary="`no-new-privileges` is switched off",
    severity=Severity.WARNING,
    since="0.1.0",
    why="a control that the engine or another line switched on does not hold",
    needs=(Has("security_opt", "no-new-privileges"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    value = subject.option("no-new-privileges")
    if value is None or value.value.value != "false":
        return
    earlier = [
        option
        for option in subject.security_opt
        if option.value.name == value.value.name and option.value.value == "true"
    ]
    if earlier:
        message = f"`{value.written}` comes last and voids the `{earlier[-1].written}` before it"
        remedy = Remedy("remove it", False, (Remove(value),), "`sudo` inside stops working")
    else:
        message = f"`{value.written}` lets setuid programs raise privileges"
        remedy = Remedy(
            "switch `no-new-privileges` on",
            safe=False,
            changes=(Replace(value, "no-new-privileges=true"),),
            caution="`sudo` inside the container stops working",
        )
    yield at_value(
        META,
        value,
        message,
        "no-new-privileges=false",
        kernel_severity(subject, host, Severity.WARNING, Severity.HINT),
        (remedy,),
        tuple(Related(option.place, "switched on here") for option in earlier if option.place),
    )
