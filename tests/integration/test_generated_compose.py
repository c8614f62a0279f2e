"""The generated part of a Compose project is judged, with the file that names it."""

from __future__ import annotations

from pathlib import Path

from tests.integration.commands import sandboxd


def test_a_weak_setting_in_the_generated_part_is_found(tmp_path: Path) -> None:
    assert sandboxd("init", tmp_path, "--template", "compose-web").code == 0
    assert sandboxd("generate", tmp_path).code == 0
    part = tmp_path / ".devcontainer/sandboxd/docker-compose.sandboxd.yml"
    assert sandboxd("check", tmp_path).code == 0
    part.write_text(part.read_text().replace("    init: true", "    privileged: true"))
    done = sandboxd("check", tmp_path)
    assert done.code == 1 and "error[privileged-container]" in done.out
