"""How a workspace travels to a cluster: over connections that break, and later only what is newer."""

from __future__ import annotations

import hashlib
import os

import pytest

from tests.e2e.docker_cluster import DockerCluster
from tests.e2e.rich_image import Rich
from tests.e2e.test_on_cluster import CLOSED, Laptop, cluster, laptop

pytestmark = [pytest.mark.engine, pytest.mark.gvisor]

__all__ = ["cluster", "laptop"]


def test_a_copy_goes_on_where_its_connection_broke(cluster: DockerCluster, laptop: Laptop) -> None:
    content = os.urandom(40_000_000)
    (laptop.project / "large.bin").write_bytes(content)
    laptop.git("add", "large.bin")
    cluster.server.breaks = [1_000, 3_000_000, 12_000_000]
    laptop("up")
    assert cluster.server.breaks == []
    inside = laptop("exec", "sha256sum", "large.bin").stdout
    assert inside.split()[0] == hashlib.sha256(content).hexdigest()
    assert laptop("exec", "cat", "main.py").stdout == "print('sunny')\n"
    assert ".sandboxd-part" not in laptop("exec", "ls", "-A").stdout
    assert "large.bin" not in laptop("review", "--stat").stdout
    cluster.server.breaks = [1_000]
    (laptop.project / "large.bin").write_bytes(content[::-1])
    said = laptop.refusal("up", "--refresh")
    assert "the connection to the Pod" in said and "broke off" in said
    laptop("up", "--refresh")
    inside = laptop("exec", "sha256sum", "large.bin").stdout
    assert inside.split()[0] == hashlib.sha256(content[::-1]).hexdigest()


def test_what_is_newer_here_goes_there_and_work_inside_stays(
    cluster: DockerCluster, laptop: Laptop, rich: Rich
) -> None:
    laptop.image = rich.image
    laptop.config("dev", CLOSED)
    (laptop.project / "both.py").write_text("first\n")
    laptop.git("add", "-A")
    laptop.git("commit", "-q", "-m", "second")
    laptop("up")
    assert "newer here" not in laptop("up").stderr
    laptop("exec", "sh", "-c", "echo theirs > both.py; echo 1 > made; sleep 1000 >/dev/null 2>&1 &")
    (laptop.project / "both.py").write_text("ours\n")
    (laptop.project / "main.py").write_text("print('rain')\n")
    laptop.git("add", "-A")
    laptop.git("commit", "-q", "-m", "third")
    said = " ".join(laptop("up").stderr.split())
    assert "newer here 2 paths: `both.py`, `main.py`" in said and "--refresh" in said
    assert laptop("exec", "cat", "main.py").stdout == "print('sunny')\n", "nothing was sent unasked"
    said = " ".join(laptop("up", "--refresh").stderr.split())
    assert "not copied the sandbox changed it, too: `both.py`" in said
    assert laptop("exec", "cat", "main.py", "both.py").stdout == "print('rain')\ntheirs\n"
    assert laptop("exec", "git", "log", "-1", "--format=%s").stdout == "third\n"
    stopped = "grep -l 'State:.T' /proc/[0-9]*/status"
    assert laptop("exec", "sh", "-c", stopped, code=1).stdout == "", "all goes on"
    review = laptop("review", "--stat").stdout
    assert "both.py" in review and "made" in review and "main.py" not in review
    assert "changed on the host, too" in " ".join(laptop("review").stdout.split())
