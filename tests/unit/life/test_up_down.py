"""Which containers are sandboxes: labels alone are not believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine import failures
from sandboxd.errors import EnvironmentFailure
from sandboxd.life import find, volumes
from sandboxd.model.labels import MADE_BY, PROJECT, UP
from sandboxd.plan.container_name import container_name
from sandboxd.plan.pinned_volume import pinned_volume
from tests.unit.engine.fake_engine import answering

FOLDER = "/home/dev/weather"
BIND = {"Type": "bind", "Source": FOLDER}
# What Docker Desktop shows of the same.
MACHINES = {"Type": "bind", "Source": f"/host_mnt{FOLDER}"}
PIN = {"Type": "volume", "Name": pinned_volume(FOLDER, "").source, "Source": "/var/lib/v/_data"}
OTHERS_PIN = {"Type": "volume", "Name": pinned_volume("/home/dev/other", "").source}
CACHE = {"Type": "volume", "Name": "cache", "Source": FOLDER}
OTHER = {"Type": "bind", "Source": "/home/dev/other"}
BELOW = {"Type": "bind", "Source": f"{FOLDER}/.git"}
ABOVE = {"Type": "bind", "Source": "/home/dev"}


def labelled(mounts: list[dict[str, str]], **asked: Any) -> Any:
    """An engine with one running container that says it is the sandbox of `FOLDER`."""
    labels = {PROJECT: FOLDER, MADE_BY: UP}
    name = f"/{container_name(FOLDER)}"
    listed = [{"Id": "a", "Names": [name], "State": "running", "Labels": labels}]

    def answer(method: str, target: str) -> tuple[int, object]:
        if "/containers/json" in target:
            return 200, listed
        return 200, {"Id": "a", "Mounts": mounts, "HostConfig": asked}

    return answering(answer)


@pytest.mark.parametrize(
    ("mounts", "counts"),
    [
        ([], False),
        ([CACHE, OTHER, OTHERS_PIN], False),
        ([BELOW, ABOVE], False),
        ([OTHER, BIND], True),
        ([PIN], True),
    ],
)
def test_an_image_with_our_labels_is_no_sandbox(mounts: list[dict[str, str]], counts: bool) -> None:
    with labelled(mounts) as engine:
        assert bool(find.all_sandboxes(engine)) == counts
        assert (find.running_sandbox(engine, FOLDER) is not None) == counts
        if counts:
            assert find.locate(engine, f"{FOLDER}/below").id == "a"
        else:
            with pytest.raises(failures.ContainerGone):
                find.locate(engine, FOLDER)


@pytest.mark.parametrize(
    ("asked", "counts"),
    [
        ({"Mounts": [BIND]}, True),
        ({"Binds": [f"{FOLDER}:/w:rw"]}, True),
        ({"Mounts": [{"Type": "volume", "Source": PIN["Name"]}]}, True),
        ({"Mounts": [OTHER], "Binds": ["/home/dev/weather-2:/w", "cache:/c"]}, False),
    ],
)
def test_a_folder_counts_as_it_was_asked_for(asked: dict[str, Any], counts: bool) -> None:
    with labelled([MACHINES], **asked) as engine:
        assert bool(find.all_sandboxes(engine)) == counts


def test_a_folder_that_was_mounted_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    labels = {PROJECT: str(tmp_path / "real"), MADE_BY: UP}
    name = f"/{container_name(str(tmp_path / 'real'))}"
    listed = [{"Id": "a", "Names": [name], "State": "running", "Labels": labels}]
    mounts = [{"Type": "bind", "Source": str(tmp_path / "link")}]

    def answer(method: str, target: str) -> tuple[int, object]:
        return 200, listed if "/containers/json" in target else {"Id": "a", "Mounts": mounts}

    with answering(answer) as engine:
        assert [container.id for container in find.all_sandboxes(engine)] == ["a"]


@pytest.mark.parametrize("options", [{"type": "none", "o": "bind", "device": "/"}, {}, None])
def test_a_volume_that_stands_for_a_folder_is_refused(options: dict[str, str] | None) -> None:
    body = {"HostConfig": {"Mounts": [{"Type": "volume", "Source": "cache", "Target": "/c"}]}}

    def answer(method: str, target: str) -> tuple[int, object]:
        return 200, {"Name": "cache", "Options": options}

    with answering(answer) as engine:
        if options:
            with pytest.raises(EnvironmentFailure, match="`cache` stands for `/`"):
                volumes.refuse_other_device(engine, json.loads(json.dumps(body)))
        else:
            volumes.refuse_other_device(engine, body)


@pytest.mark.parametrize(
    ("name", "made_by", "of_image", "believed"),
    [
        (container_name(FOLDER), UP, {}, True),
        (container_name(FOLDER), UP, {PROJECT: FOLDER, MADE_BY: UP}, True),
        ("dreamy_turing", UP, {PROJECT: FOLDER, MADE_BY: UP}, False),
        ("dreamy_turing", "editor", {}, True),
        ("dreamy_turing", "editor", None, True),
        ("dreamy_turing", "editor", {PROJECT: FOLDER}, False),
        (container_name(FOLDER), "editor", {PROJECT: FOLDER}, False),
    ],
)
def test_a_foreign_container_of_an_image_with_our_labels(
    name: str, made_by: str, of_image: dict[str, str] | None, believed: bool
) -> None:
    """Somebody ran it in the project's folder: `exec` runs nothing in it, `down` leaves it."""
    labels = {PROJECT: FOLDER, MADE_BY: made_by}
    listed = [{"Id": "a", "Names": [f"/{name}"], "State": "running", "Labels": labels}]

    def answer(method: str, target: str) -> tuple[int, object]:
        if "/containers/json" in target:
            return 200, listed
        if "/images/" in target:
            return (
                (404, {"message": "no such image"})
                if of_image is None
                else (200, {"Config": {"Labels": of_image}})
            )
        return 200, {"Id": "a", "Mounts": [BIND], "Image": "sha256:1"}

    with answering(answer) as engine:
        assert bool(find.all_sandboxes(engine)) == believed
        if not believed:
            with pytest.raises(failures.ContainerGone):
                find.locate(engine, FOLDER)
