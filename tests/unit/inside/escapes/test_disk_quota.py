"""A volume that outlives the sandbox is room on the host's disk, though the replica has memory there."""

from __future__ import annotations

import pytest

from sandboxd.inside.escapes import disk_quota

FACTS = {"workspace": "/proc", "limits": {"root": 1}}


def test_volumes_of_the_sandbox_have_no_quota() -> None:
    done = disk_quota.attempt({**FACTS, "volumes": ["/sandboxd/caches"]})
    assert "/sandboxd/caches" in done["detail"]


def test_without_any_nothing_lies_on_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_quota, "read_text", lambda _path: "none / tmpfs rw 0 0\n")
    with pytest.raises(OSError, match="quota"):
        disk_quota.attempt({**FACTS, "volumes": []})
