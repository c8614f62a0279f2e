"""The sample of the template for browser tests: Playwright drives Chromium, with and without Chromium's own sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e import browser_image, sandboxes
from tests.e2e.test_templates import ok, own, up

pytestmark = [
    pytest.mark.engine,
    pytest.mark.node,
    pytest.mark.usefixtures("shared_cache", "own_home"),
]

NESTED = 'nested_sandbox = "calls"\n'


@pytest.fixture(scope="module")
def image(engine: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    return browser_image.build(engine, tmp_path_factory.mktemp("image"))


def make_project(root: Path, image: str, runtime: str) -> Path:
    """A project from the template, with Playwright as its package.json says."""
    root.mkdir()
    ok("", root, "init", "--template", "browser-tests", "--option", f"image={image}")
    config = root / "sandboxd.toml"
    config.write_text(config.read_text().replace('"auto"', f'"{runtime}"'))
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no `npm`: run `CI=true ./dev setup --tests`")
    subprocess.run(
        [npm, "install", "--no-audit", "--no-fund"],
        cwd=root / "sample",
        env=os.environ | {"PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"},
        check=True,
        capture_output=True,
    )
    return config


def run_sample(engine: str, root: Path) -> str:
    own(root)
    sandboxes.grant(root)
    with up(engine, root):
        return ok(
            engine, root, "exec", "--", "env", f"CHROMIUM={browser_image.CHROMIUM}", "sh", "sample/test.sh"
        )  # fmt: skip


def test_the_sample_passes(engine: str, tmp_path: Path, image: str, runtime: str) -> None:
    root = tmp_path / "page"
    make_project(root, image, runtime)
    assert "1 passed" in run_sample(engine, root)


def test_chromium_makes_its_own_sandbox_as_the_notes_say(
    engine: str, tmp_path: Path, image: str, runtime: str
) -> None:
    root = tmp_path / "page"
    config = make_project(root, image, runtime)
    settings = root / "sample/playwright.config.mjs"
    settings.write_text(settings.read_text().replace("use: {", "use: { chromiumSandbox: true,"))
    if runtime == "runc":
        text = NESTED + config.read_text() + '\n[workspace]\nlayout = "clone"\n'
        config.write_text(text)
    assert "1 passed" in run_sample(engine, root)
