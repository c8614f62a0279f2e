"""What is released: made twice, with a bill of materials that a second opinion accepts."""

from __future__ import annotations

import json
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import sandboxd
from tools import dist, sbom

ROOT = Path(dist.ROOT)
VERSION = sandboxd.__version__


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    dist.make(folder)
    return folder


@pytest.fixture(scope="module")
def bill(release: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((release / f"sandboxd-{VERSION}.cdx.json").read_text())
    return document


def cyclonedx_schema(uri: str) -> Any:
    """The standard's own schemas, which come with the library that writes the bill."""
    name = uri.rpartition("/")[2]
    if "SNAPSHOT" not in name:
        name = (
            name.replace(".", ".SNAPSHOT.", 1)
            if "bom" not in name
            else f"{name[:7]}.SNAPSHOT{name[7:]}"
        )
    return json.loads((resources.files("cyclonedx.schema") / "_res" / name).read_text())


def test_all_of_it_is_there_with_its_checksum(release: Path) -> None:
    names = {path.name for path in release.iterdir()}
    assert names == {
        f"sandboxd-{VERSION}-py3-none-any.whl",
        f"sandboxd-{VERSION}.tar.gz",
        f"sandboxd-{VERSION}.cdx.json",
        "SHA256SUMS",
    }
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=release, check=True, capture_output=True)
    assert len((release / "SHA256SUMS").read_text().splitlines()) == 3


def test_the_bill_is_as_the_standard_says(bill: dict[str, Any]) -> None:
    schema = cyclonedx_schema("bom-1.6.schema.json")
    validator = jsonschema_rs.validator_for(schema, retriever=cyclonedx_schema)
    assert [error.message for error in validator.iter_errors(bill)] == []
    assert not validator.is_valid({**bill, "specVersion": 1.6})
    assert not validator.is_valid({**bill, "components": [{"name": "no type"}]})


def test_the_bill_lists_what_the_lock_pins(bill: dict[str, Any]) -> None:
    pins = {pin.name: pin for pin in sbom.pinned(sbom.LOCK.read_text())}
    assert {"pygls", "watchfiles", "pyyaml", "attrs"} <= set(pins)
    assert {c["name"]: c["version"] for c in bill["components"]} == {
        pin.name: pin.version for pin in pins.values()
    }
    for component in bill["components"]:
        (source,) = component["externalReferences"]
        hashes = {each["content"] for each in source["hashes"]}
        assert hashes == set(pins[component["name"]].hashes) != set()
        assert component["licenses"], component["name"]
    needs = {row["ref"]: row.get("dependsOn", []) for row in bill["dependencies"]}
    assert [ref.split("/")[1].split("@")[0] for ref in needs["sandboxd"]] == [
        "docker",
        "h11",
        "inotify-simple",
        "pygls",
        "pyyaml",
        "tomli-w",
        "watchfiles",
    ]
    reached, todo = set(), ["sandboxd"]
    while todo:
        todo += [ref for ref in needs[todo.pop()] if ref not in reached]
        reached |= set(todo)
    assert reached == {component["bom-ref"] for component in bill["components"]}


def test_the_lock_of_users_and_that_of_developers_agree() -> None:
    developers = set(sbom.pinned((ROOT / "requirements" / "dev.txt").read_text()))
    assert set(sbom.pinned(sbom.LOCK.read_text())) <= developers


def test_a_lock_without_a_needed_package_is_refused(release: Path) -> None:
    (wheel,) = release.glob("*.whl")
    lock = sbom.LOCK.read_text()
    start = lock.index("idna==")
    without = lock[:start] + lock[lock.index("\ninotify-simple==") + 1 :]
    with pytest.raises(ValueError, match="anyio needs idna: not in the lock"):
        sbom.document(wheel, without)


def test_two_builds_that_differ_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = iter([{"a.whl": b"1", "b": b"2"}, {"a.whl": b"1", "b": b"3"}])
    monkeypatch.setattr(dist, "_build", lambda folder, commit: next(builds))
    with pytest.raises(dist.DistError, match=r"differ: b$"):
        dist.make(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_commit_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(dist.DistError, match="there is no commit `--output=x`"):
        dist.make(tmp_path, "--output=x")


def test_a_release_is_announced_with_its_date() -> None:
    assert dist.is_announced(f"# Changelog\n\n## {VERSION} - 2027-01-31\n")
    assert not dist.is_announced(f"# Changelog\n\n## Unreleased\n\n### Added\n- {VERSION}\n")
