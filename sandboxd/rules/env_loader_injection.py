"""A variable makes every program load code.

## What it is

`LD_PRELOAD`, `LD_AUDIT`, `BASH_ENV`, `ENV`, `PYTHONSTARTUP`, `PERL5OPT`, `RUBYOPT`,
`NODE_OPTIONS` with `--require` or `--import`, `JAVA_TOOL_OPTIONS` with an agent,
`GIT_SSH_COMMAND`, `PROMPT_COMMAND` in the environment of the container.

## Why it is bad

Each start of the program loads what the variable names. If that lies in the workspace or below
`/tmp`, whoever can write there runs code in every process: the editor's server, the hooks, a
shell that is opened as root. With graphics processors it goes as far as the host, since hooks of
the toolkit read the variables of the image (CVE-2025-23266).

## What to do instead

Remove it, or name a file of the image that only root can write. For memory, `NODE_OPTIONS` with
`--max-old-space-size` is fine.

## Under gVisor

No difference inside.

## References

- https://man7.org/linux/man-pages/man8/ld.so.8.html
- https://nvd.nist.gov/vuln/detail/CVE-2025-23266
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._loaders import loads_code
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="env-loader-injection",
    summary="a variable makes every program load code",
    severity=Severity.WARNING,
    since="0.1.0",
    why="whoever can write the file that it names runs code in every process",
    needs=(Field("env"), Field("remote_env")),
)


_WRITABLE = (
    r"/workspaces?/|/workspace\b|/tmp/|\$\{(?:containerW|localW)orkspaceFolder\}|(?:^|[\s=:])\./"
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for value in (*subject.env, *subject.remote_env):
        name, text = value.value
        if not loads_code(name, text or ""):
            continue
        writable = re.search(_WRITABLE, value.written) is not None
        on_host = subject.gpus is not None and name.startswith("LD_")
        yield at_value(
            META,
            value,
            f"`{name}` makes programs run what lies in a place that anyone inside can write"
            if writable
            else f"`{name}` makes every program of its kind run code of another",
            name,
            Severity.WARNING if writable or on_host else Severity.HINT,
            (
                Remedy(
                    "remove the variable",
                    safe=False,
                    changes=(Remove(value),),
                    caution="what it loads is not loaded",
                ),
            ),
        )
