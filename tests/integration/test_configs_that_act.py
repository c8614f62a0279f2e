"""A repository that carries every trick: each is marked at its very place, and is a control file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandboxd.policy import acts_on_host
from tests import configs_that_act
from tests.configs_that_act import Mark
from tests.integration.checking import check
from tests.unit.lsp.talk import PUBLISH, Client

FILES, MARKS = configs_that_act.read("/tmp/x")


def test_check_marks_each_at_its_place(tmp_path: Path) -> None:
    marks = configs_that_act.write(tmp_path, "/tmp/x")
    done = check(tmp_path, "--format", "json", "--pedantic")
    assert done.returncode == 1, done.stderr
    shown = {
        Mark(
            str(Path(found["path"]).resolve().relative_to(tmp_path.resolve()))
            if Path(found["path"]).is_absolute()
            else found["path"],
            found["rule"],
            found["line"] - 1,
            found["column"] - 1,
            found["end_column"] - 1,
        )
        for found in json.loads(done.stdout)["findings"]
    }
    assert set(marks) - shown == set()


@pytest.mark.asyncio
@pytest.mark.parametrize("path", FILES)
async def test_an_editor_marks_each_at_its_place(tmp_path: Path, path: str) -> None:
    configs_that_act.write(tmp_path, "/tmp/x")
    text = (tmp_path / path).read_text(encoding="utf-8")
    uri = (tmp_path / path).as_uri()
    client = Client(
        {"general": {"positionEncodings": ["utf-32"]}},
        folders=[{"uri": tmp_path.as_uri(), "name": "x"}],
    )
    client.open(uri, text)
    wanted = {mark for mark in MARKS if mark.path == path}

    def shown() -> set[Mark]:
        return {
            Mark(
                path,
                found["code"],
                found["range"]["start"]["line"],
                found["range"]["start"]["character"],
                found["range"]["end"]["character"],
            )
            for message in client.messages
            if message.get("method") == PUBLISH and message["params"]["uri"] == uri
            for found in message["params"]["diagnostics"]
        }

    await client.until(
        lambda m: m.get("method") == PUBLISH and m["params"]["uri"] == uri and wanted <= shown()
    )
    assert wanted <= shown()


@pytest.mark.parametrize("path", FILES)
def test_each_file_comes_out_of_a_sandbox_only_by_its_name(path: str) -> None:
    assert acts_on_host.weigh(path)[0] == "control"
