"""The dev container CLI publishes the collection, and applies a template of it as we fill it in."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from sandboxd import templates
from tests.e2e import devcontainer_cli
from tests.e2e.oci_registry import registry
from tools.docs import ROOT

pytestmark = pytest.mark.node


def cli(*words: str) -> str:
    done = subprocess.run(
        [devcontainer_cli.program(), "templates", *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2500:]
    return done.stdout + done.stderr


def test_publish_and_apply(tmp_path: Path) -> None:
    folder = str(Path(ROOT, templates.FOLDER))
    chosen = {"image": f"img@sha256:{'0' * 64}", "user": "dev"}
    with registry() as address:
        where = ["--registry", address, "--namespace", "team/templates"]
        output = cli("publish", folder, *where)
        assert f"Packaged {len(templates.names())} templates!" in output
        for name in ("python", "compose-web"):
            root = tmp_path / name
            root.mkdir()
            words = ["--template-id", f"{address}/team/templates/{name}:1"]
            words += ["--template-args", json.dumps(chosen), "--workspace-folder", str(root)]
            cli("apply", *words)
            template = templates.load(name)
            ours = templates.files(template, templates.values(template, chosen))
            files = {
                str(path.relative_to(root)): path.read_text()
                for path in root.rglob("*")
                if path.is_file()
            }
            assert files == {file.path: file.text for file in ours}
