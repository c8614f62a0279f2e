"""What the key of a Feature names (containers.dev, "Referencing a Feature"), and what Features are known to ask for."""

from __future__ import annotations

import pytest

from sandboxd.model import feature
from sandboxd.model.feature import Feature


@pytest.mark.parametrize(
    ("key", "identifier", "tag", "source"),
    [
        (
            "ghcr.io/devcontainers/features/go:1",
            "ghcr.io/devcontainers/features/go",
            "1",
            "registry",
        ),
        ("GHCR.io/Owner/Go", "ghcr.io/owner/go", "", "registry"),
        ("registry:5000/team/tool:2", "registry:5000/team/tool", "2", "registry"),
        ("localhost/team/tool", "localhost/team/tool", "", "registry"),
        ("ghcr.io/a/b@sha256:00", "ghcr.io/a/b", "sha256:00", "registry"),
        ("owner/repository/tool@v0.0.2", "owner/repository/tool", "v0.0.2", "legacy"),
        ("docker-in-docker", "docker-in-docker", "", "legacy"),
        ("./own", "./own", "", "local"),
        ("../own", "../own", "", "local"),
        ("https://example.com/tool.tgz", "https://example.com/tool.tgz", "", "tarball"),
    ],
)
def test_a_key_names_a_feature(key: str, identifier: str, tag: str, source: str) -> None:
    assert feature.parse(f" {key} ") == Feature(identifier, tag, source)


# devcontainers/features on GitHub: `privileged`, `capAdd`, `securityOpt` and `mounts` of each
# devcontainer-feature.json.
ASKS = {
    "docker-in-docker": {"privileged"},
    "docker-outside-of-docker": {"/var/run/docker.sock", "label=disable"},
    "go": {"SYS_PTRACE", "seccomp=unconfined"},
    "rust": {"SYS_PTRACE", "seccomp=unconfined"},
}


@pytest.mark.parametrize("name", ASKS)
def test_each_official_feature_asks_for_what_its_source_says(name: str) -> None:
    asked = feature.asks(feature.parse(f"ghcr.io/devcontainers/features/{name}:2"))
    assert asked is not None and set(asked) == ASKS[name]
