"""What a recommendation says of the price, where nothing was measured here."""

from __future__ import annotations

from sandboxd.plan import recommend


def test_each_kind_of_work_has_its_price() -> None:
    assert [cost[0] for cost in recommend.OUR_COSTS] == [
        "runc + seccomp",
        "gVisor, computing",
        "gVisor, starting processes",
        "gVisor, many small files of the workspace",
    ]
