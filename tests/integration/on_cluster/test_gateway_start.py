"""What `up` tries and names of a sandbox's way out on a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.backends.kubernetes import losses
from sandboxd.backends.kubernetes.network_trial import Trial
from sandboxd.errors import EnvironmentFailure
from sandboxd.operations.on_cluster import _gateway
from sandboxd.plan.cluster import Cluster as Wishes
from tests.integration.on_cluster.conftest import CONFIG, Laptop
from tests.light_cluster import LightCluster
from tests.unit.plan.examples import plan


def resolves(cluster: LightCluster, answer: str) -> None:
    """Let the cluster's name server say this of the sandbox's headless Service."""

    def act(words: list[str]) -> None:
        if words[-1].endswith("-clients"):
            words[:] = ["sh", "-c", answer]

    cluster.before_command = act


def test_a_name_server_without_headless_names_ends_the_start(
    cluster: LightCluster, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_gateway, "_CLIENT_SECONDS", 0.0)
    (laptop.project / "sandboxd.toml").write_text(CONFIG.replace('"none"', '"allow"'))
    resolves(cluster, "echo 'gaierror: Name or service not known'; exit 1")
    with pytest.raises(EnvironmentFailure) as told:
        laptop.up()
    assert "does not resolve the headless Service" in told.value.message
    assert "Name or service not known" in told.value.message
    assert cluster.names() == []
    resolves(cluster, "echo 10.244.0.9")
    assert laptop.up().how == "started"


def test_icmp_is_named_where_policies_are_enforced() -> None:
    def controls(outcome: Any) -> list[str]:
        trial = Trial(outcome, "as the test says", "now")
        lost = losses.not_in_force(plan('[network]\nmode = "none"'), Wishes(), trial)
        return [each.control for each in lost if each.control in ("network", "ICMP")]

    assert controls("enforced") == ["ICMP"]
    assert controls("open") == ["network"]
