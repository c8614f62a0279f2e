"""Caches above their bound on a real engine: those of sandboxes that are gone go, and are made again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sandboxd.engine.client import Engine
from sandboxd.life import cache_bound, cache_uses
from sandboxd.plan.lasting import beginning
from tests.e2e import sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("shared_cache")]

MIB = 1 << 20


@pytest.fixture
def projects(tmp_path: Path, busybox_image: str, own_home: Path) -> list[Path]:
    folders = []
    for name in ("old", "new", "running"):
        folder = tmp_path / name
        folder.mkdir()
        folders.append(sandboxes.make_project(folder / "shop", busybox_image, "runc"))
    return folders


def test_what_was_used_longest_ago_goes_and_is_made_again(
    engine: str, api: Engine, projects: list[Path]
) -> None:
    def sandboxd(folder: Path, *words: str) -> str:
        done = sandboxes.run(engine, folder, *words)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    old, new, running = projects
    fill = ("exec", "-n", "sh", "-c", 'dd if=/dev/zero of="$PIP_CACHE_DIR" bs=1M count=3 2>&1')
    try:
        for folder in (running, old, new):
            sandboxd(folder, "up")
            sandboxd(folder, *fill)
            if folder != running:
                sandboxd(folder, "down")
        names = [beginning("caches", str(folder)) + "dev" for folder in projects]
        sizes = {each.name: each.size for each in cache_bound.find(api, os.environ)}
        assert set(names) <= set(sizes) and all(sizes[name] >= 3 * MIB for name in names)

        bounded = cache_bound.keep_within(api, os.environ, 7 * MIB)
        assert bounded.removed == (names[0],) and 6 * MIB <= bounded.size <= 7 * MIB
        # Of those that are left one has a container, and the other was used last.
        assert cache_bound.keep_within(api, os.environ, MIB).removed == ()
        measured = cache_uses.recall(os.environ).measured[api.host]
        shown = json.loads(sandboxd(old, "prune", "--json"))["caches"]
        assert shown == {"size": measured.size, "bound": 20 << 30}

        sandboxd(old, "up")
        assert sandboxd(old, "exec", "-n", "sh", "-c", 'ls "$PIP_CACHE_DIR" 2>&1 | wc -l')
    finally:
        for folder in projects:
            sandboxes.run(engine, folder, "down", "--discard")
