"""What `down` says of a container that it removed: what is gone, and what stays for the next one."""

from __future__ import annotations

from typing import Any

import pytest

from sandboxd.engine import failures
from sandboxd.life import lost_at_end


def inspected(tmpfs: dict[str, str] | None = None, *volumes: str) -> Any:
    return {
        "Name": "/sandboxd-shop",
        "Config": {"WorkingDir": "/workspaces/shop"},
        "HostConfig": {"Tmpfs": tmpfs},
        "Mounts": [
            {"Type": "bind", "Destination": "/workspaces/shop"},
            *({"Type": "volume", "Destination": each} for each in volumes),
        ],
    }


OUTSIDE = "`sandboxd-shop` ended: what was installed or written outside of the workspace"


@pytest.mark.parametrize(
    ("container", "said"),
    [
        (inspected(), f"{OUTSIDE} is gone"),
        (inspected({"/tmp": "rw", "/workspaces/shop/.vscode": "ro"}), f"{OUTSIDE} is gone"),
        # A private copy in memory is kept as changes before the end.
        (inspected({"/workspaces/shop": "rw"}), f"{OUTSIDE} is gone"),
        (
            inspected({"/workspaces/shop/node_modules": "rw,exec"}, "/sandboxd/caches"),
            f"{OUTSIDE} is gone, and so is `node_modules`, which was in memory; caches of packages stay",
        ),
        (
            inspected({"/workspaces/shop/b/target": "rw", "/workspaces/shop/a": "exec,rw"}),
            f"{OUTSIDE} is gone, and so are `a`, `b/target`, which were in memory",
        ),
        (
            inspected(None, "/workspaces/shop", "/home/sandbox", "/sandboxd/caches"),
            f"{OUTSIDE} and `/home/sandbox` is gone; caches of packages stay",
        ),
    ],
)
def test_what_is_gone_is_named_and_what_stays(container: Any, said: str) -> None:
    assert lost_at_end.sentence(container) == said


def test_nothing_is_said_of_a_container_that_is_gone_already() -> None:
    class Played:
        def inspect(self, _container: str) -> Any:
            raise failures.gone()

    engine: Any = Played()
    assert lost_at_end.sentence_of(engine, "0123") == ""
