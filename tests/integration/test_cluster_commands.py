"""Commands of ours in a Pod: all of their input arrives as it was sent, and a break is noticed at once."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.backends.kubernetes import running
from sandboxd.backends.kubernetes.api import Cluster
from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.backends.kubernetes.kubeconfig import Context
from tests.integration.exec_server import ExecServer

LONG = 600.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ExecServer]:
    made = ExecServer(tmp_path)
    yield made
    made.close()


@pytest.fixture
def cluster(server: ExecServer) -> Iterator[Cluster]:
    described = {"server": server.url, "certificate-authority": server.certificate}
    made = Cluster(Context("team", "shop", described, {"token": "t"}, ""), {})
    yield made
    made.close()


def run(cluster: Cluster, words: list[str], data: bytes) -> tuple[int, bytes]:
    output = bytearray()
    code = running.run(cluster, "pod", words, data, LONG, lambda _, piece: output.extend(piece))
    return code, bytes(output)


def test_input_and_output_pass_each_other_unharmed(cluster: Cluster) -> None:
    data = os.urandom(8 << 20)
    code, output = run(cluster, ["cat"], data)
    assert (code, hashlib.sha256(output).digest()) == (0, hashlib.sha256(data).digest())


@pytest.mark.parametrize("size", [100, 3_000_000, 7_000_000])
def test_a_connection_that_breaks_under_the_input_is_noticed_long_before_the_limit(
    server: ExecServer, cluster: Cluster, size: int
) -> None:
    server.breaks.append(size)
    begun = time.monotonic()
    with pytest.raises(PodGone, match="the connection to the Pod `pod` broke off"):
        run(cluster, ["sha256sum"], os.urandom(8 << 20))
    assert time.monotonic() - begun < LONG / 2
    assert run(cluster, ["sh", "-c", "cat; exit 3"], b"again") == (3, b"again")


def test_a_command_may_be_silent_for_a_while(cluster: Cluster) -> None:
    assert running.quietly(cluster, "pod", ["sh", "-c", "sleep 1.5; echo done"]) == (0, "done\n")
