"""Which folders of the host a sandbox under attack has: those that a volume only points to as well."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.backends.docker.attack import _view


@pytest.mark.parametrize(
    ("description", "folder"),
    [
        ({"Options": {"type": "none", "o": "bind,ro", "device": "/home/kim/shop/.vscode"}}, "/home/kim/shop/.vscode"),
        ({"Options": {"type": "none", "o": "ro,bind", "device": "/srv"}}, "/srv"),
        ({"Options": {"type": "nfs", "o": "addr=10.0.0.1", "device": ":/export"}}, None),
        ({"Options": {"type": "tmpfs", "device": "tmpfs"}}, None),
        ({"Options": None}, None),
        (None, None),
    ],
)  # fmt: skip
def test_a_volume_that_is_bound_to_a_folder_is_that_folder(
    description: dict[str, Any] | None, folder: str | None
) -> None:
    engine: Any = SimpleNamespace(volume=lambda name: description if name == "pin" else None)
    mount = {"Type": "volume", "Name": "pin", "Destination": "/w/.vscode", "RW": False}
    inspected: Any = {"Mounts": [mount]}
    mounts = _view(engine, inspected, None).mounts
    assert [each.source for each in mounts] == ([] if folder is None else [folder])
