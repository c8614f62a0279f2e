"""What well-known images of services need: data, which must not give more than an engine does by itself."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from sandboxd.data import data_path
from sandboxd.plan import service_images

FILES = sorted(Path(data_path("profiles", "services")).glob("*.toml"))
# The engine's own set, without what reaches other sandboxes (raw packets) or makes devices.
MOST = {
    *service_images.DEFAULT,
    "AUDIT_WRITE",
    "FSETID",
    "SETFCAP",
    "SETPCAP",
    "SYS_CHROOT",
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_says_what_why_and_from_where(file: Path) -> None:
    entry = tomllib.loads(file.read_text())
    assert entry.keys() == {"images", "capabilities", "why", "source"}
    assert entry["images"] and entry["why"] and not entry["why"].endswith(".")
    assert entry["source"].startswith("https://")
    assert set(entry["capabilities"]) <= MOST
    assert entry["capabilities"] == sorted(entry["capabilities"])
    for image in entry["images"]:
        assert service_images.needs(f"{image}:1").source == entry["source"], "in one file alone"


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("postgres", "postgres"),
        ("postgres:16-alpine", "postgres"),
        ("library/postgres:16", "postgres"),
        ("docker.io/library/postgres@sha256:00", "postgres"),
        ("registry.example:5000/postgres:1", "postgres"),
        ("localhost/minio/minio:1", "minio/minio"),
        ("stranger/postgres:16", "stranger/postgres"),
    ],
)
def test_an_image_is_known_by_its_repository(image: str, repository: str) -> None:
    assert service_images.repository(image) == repository


def test_an_unknown_image_gets_the_default_set_and_no_reason() -> None:
    assert service_images.needs("mine:1") == (service_images.DEFAULT, "", "")
