"""A part of a volume that stands for a folder of the host is shown as a mount of that part."""

from __future__ import annotations

from typing import Any, cast

import pytest

from sandboxd.engine.subpath_mounts import as_binds
from sandboxd.model.engine_answers import Inspected
from sandboxd.model.labels import PROJECT
from sandboxd.model.subpath_volumes import key_of, volume_name
from sandboxd.observe import pin

WORKSPACE = "/home/dev/w"
DRIVER = {"Name": "local", "Options": {"type": "none", "o": "bind,rw", "device": WORKSPACE}}


def answer(options: dict[str, Any], name: str = "sandboxd-pin-rw-id") -> Inspected:
    """The engine's description of a container with the workspace, and a part of a volume at `/w/.idea`."""
    request = {"Type": "volume", "Source": name, "Target": "/w/.idea", "ReadOnly": True}
    whole = {"Type": "bind", "Source": WORKSPACE}
    point = {"Type": "volume", "Name": name, "Source": "/var/lib/docker/volumes/x/_data"}
    return cast(
        "Inspected",
        {
            "Config": {"Labels": {PROJECT: WORKSPACE}},
            "HostConfig": {
                "Mounts": [{**whole, "Target": "/w"}, {**request, "VolumeOptions": options}]
            },
            "Mounts": [
                {**whole, "Destination": "/w", "RW": True},
                {**point, "Destination": "/w/.idea", "RW": False},
            ],
        },
    )


BY_PATH = volume_name(key_of(WORKSPACE), writable=True)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"Subpath": ".idea", "DriverConfig": DRIVER}, "sandboxd-pin-rw-id"),
        # Compose names no options of the volume.
        ({"Subpath": ".idea", "NoCopy": True}, BY_PATH),
    ],
)
def test_it_is_a_bind_mount_of_the_part(options: dict[str, Any], name: str) -> None:
    shown = as_binds(answer(options, name))
    (_, point), (_, request) = shown["Mounts"] or [], shown["HostConfig"]["Mounts"] or []
    assert (point["Type"], point["Source"], point["Name"]) == ("bind", f"{WORKSPACE}/.idea", name)
    assert request == {
        "Type": "bind",
        "Source": f"{WORKSPACE}/.idea",
        "Target": "/w/.idea",
        "ReadOnly": True,
    }
    whole, part = pin.requests(shown)
    assert (part.source, part.is_read_only, part.above) == (
        f"{WORKSPACE}/.idea",
        True,
        whole.target,
    )


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"DriverConfig": DRIVER}, "sandboxd-pin-1"),
        ({"Subpath": "x"}, "cache"),
        ({"Subpath": "x"}, volume_name(key_of("/other"), writable=True)),
        ({}, BY_PATH),
    ],
)
def test_other_mounts_stay_as_they_are(options: dict[str, Any], name: str) -> None:
    given = answer(options, name)
    assert as_binds(given) is given
