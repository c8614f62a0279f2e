"""Features that a devcontainer.json names, and which options well-known ones request."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    from sandboxd.model.values import Value

    FeatureSource = Literal["registry", "local", "tarball", "legacy"]


class Feature(NamedTuple):
    """One key of `features`: `id` without the version, and `version`, '' if there is none.

    `locked`: whether `devcontainer-lock.json` pins it; None if that is not known.
    """

    id: str
    version: str
    source: FeatureSource
    locked: bool | None = None

    def is_pinned(self) -> bool:
        """Whether its name has a digest or a full version number."""
        return self.version.startswith("sha256:") or self.version.count(".") >= 2


class LockedFeature(NamedTuple):
    """An entry of `devcontainer-lock.json`, as written."""

    name: Value[str]
    version: Value[str] | None
    resolved: Value[str] | None
    integrity: Value[str] | None


class FeatureLock(NamedTuple):
    path: str
    entries: tuple[LockedFeature, ...]


def parse(name: str) -> Feature:
    """The Feature that the key `name` of `features` names."""
    text = name.strip()
    if text.startswith(("./", "../")):
        return Feature(text, "", "local")
    if text.lower().startswith(("https://", "http://")):
        return Feature(text, "", "tarball")
    head, at, digest = text.partition("@")
    path, slash, last = head.rpartition("/")
    last, _, tag = last.partition(":")
    identifier = f"{path}{slash}{last}"
    # `owner/repository/feature@tag` of a GitHub release, and names without a registry.
    host = identifier.split("/")[0]
    is_registry = "." in host or ":" in host or host == "localhost"
    return Feature(
        identifier.lower(), digest if at else tag, "registry" if is_registry else "legacy"
    )


OFFICIAL = "ghcr.io/devcontainers/features/"

# The rights that Features of the official collection ask for (devcontainers/features, July 2026). Names
# that are missing here are not known; an empty entry asks for nothing.
_ASKS: dict[str, tuple[str, ...]] = {
    "docker-in-docker": ("privileged",),
    "docker-outside-of-docker": ("/var/run/docker.sock", "label=disable"),
    "go": ("SYS_PTRACE", "seccomp=unconfined"),
    "rust": ("SYS_PTRACE", "seccomp=unconfined"),
}
_HARMLESS = (
    "anaconda aws-cli azure-cli common-utils conda copilot-cli desktop-lite dotnet git git-lfs "
    "github-cli hugo java kubectl-helm-minikube nix node nvidia-cuda oryx php powershell python "
    "ruby sshd terraform"
)


def asks(feature: Feature) -> tuple[str, ...] | None:
    """The options of `docker run` that a well-known Feature requests; () for none, None if the Feature is not known."""
    if not feature.id.startswith(OFFICIAL):
        return None
    name = feature.id[len(OFFICIAL) :]
    if name in _ASKS:
        return _ASKS[name]
    return () if name in _HARMLESS.split() else None
