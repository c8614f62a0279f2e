"""An image with Chromium and Node.js of this machine, which stands for the one that the template of browser tests names."""

from __future__ import annotations

import glob
import shutil
from pathlib import Path

import pytest

from tests.e2e import rich_image

TAG = "sandboxd-browser:1"
CHROMIUM = "/usr/lib/chromium/chromium"
_FOLDERS = (
    "/usr/lib/chromium",
    "/etc/fonts",
    "/usr/share/fonts/truetype/dejavu",
    "/usr/share/fontconfig",
)
# Loaded at run time, by name.
_LIBRARIES = ("libsoftokn3.so", "libfreeblpriv3.so", "libnssckbi.so", "libnss_files.so.2")


def build(docker_host: str, folder: Path) -> str:
    """Make the image and import it into the engine; about fifteen seconds. Returns its tag."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium: run `CI=true ./dev setup --tests`")
    rich_image.build(docker_host, folder, TAG, _more)
    return TAG


def _more(root: Path) -> list[str]:
    for source in _FOLDERS:
        if Path(source).is_dir():
            target = root / source.lstrip("/")
            shutil.copytree(source, target)
    loaded = [path for name in _LIBRARIES for path in glob.glob(f"/usr/lib/*-linux-gnu/{name}")]
    for path in loaded:
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    return [CHROMIUM, *loaded]
