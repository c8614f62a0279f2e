"""A cluster's authority by which kubectl is content, and one by which nobody is."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.backends.kubernetes.api import POD, Cluster
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.errors import EnvironmentFailure
from tests.certificates import signed
from tests.light_cluster import LightCluster, light_cluster, strict_contexts

_PLAIN = """
[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
CN = by hand
[authority]
basicConstraints = critical,CA:TRUE
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LightCluster]:
    with light_cluster(tmp_path / "cluster") as running:
        yield running


def authority(folder: Path) -> None:
    """One without a key usage and without key identifiers, as clouds and hands made them: `ca.pem` and `ca.key`."""
    (folder / "plain.cnf").write_text(_PLAIN)
    words = "openssl req -x509 -days 2 -newkey rsa:2048 -nodes -config plain.cnf -keyout ca.key -out ca.pem"
    subprocess.run(words.split(), cwd=folder, check=True, capture_output=True)


def connect(cluster: LightCluster, authority: Path, server: str = "") -> Cluster:
    described = {"server": server or cluster.url, "certificate-authority": str(authority)}
    return Cluster(Context("team", "default", described, {"token": "the-token"}, ""), {})


def test_an_authority_without_a_key_usage_is_taken_and_the_rest_is_checked(
    cluster: LightCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict_contexts(monkeypatch)
    authority(tmp_path)
    signed(
        tmp_path, "server", "subjectAltName=DNS:localhost", key="server.key", certificate="server.pem"
    )  # fmt: skip
    cluster.server.present(tmp_path / "server.pem", tmp_path / "server.key")
    ours = connect(cluster, tmp_path / "ca.pem")
    assert ours.text("/version", "say its version")["major"] == "1"
    assert ours.list(POD) == []
    by_another_name = cluster.url.replace("localhost", "127.0.0.1")
    for wrong in (
        connect(cluster, tmp_path / "ca.pem", by_another_name),
        connect(cluster, cluster.certificate),
    ):
        with pytest.raises(EnvironmentFailure, match="is not that of the cluster"):
            wrong.text("/version", "say its version")
        wrong.close()
    ours.close()
