"""An entry for ssh: what the image says of its user goes into a config that counts for every host."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.errors import EnvironmentFailure
from sandboxd.forward import ssh_entries
from sandboxd.model.labels import PROJECT
from sandboxd.operations import ssh


@pytest.mark.parametrize(
    ("said", "is_taken"),
    [
        (b"node", True),
        (b"dev-1.x_y", True),
        (b'"', False),
        (b"$(touch${IFS}x)", False),
        (b"a\nProxyCommand x", False),
        (b"-oProxyCommand=x", False),
        (b"%r", False),
        (b"", False),
        (b"a" * 33, False),
    ],
)
def test_the_user_is_a_name_and_nothing_more(
    said: bytes, is_taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = SimpleNamespace(id="c", labels={PROJECT: str(tmp_path)})
    monkeypatch.setattr("sandboxd.life.find.locate", lambda *_: sandbox)
    monkeypatch.setattr("sandboxd.engine.execute.run_quietly", lambda *_, **__: (0, said))
    made: list[str] = []
    monkeypatch.setattr(ssh_entries, "make", lambda *words: made.append(words[3]))
    engine: Any = None
    if is_taken:
        ssh.prepare(engine, str(tmp_path), {}, "", [])
        assert made == [said.decode()]
        return
    with pytest.raises(EnvironmentFailure, match="does not say who its user is"):
        ssh.prepare(engine, str(tmp_path), {}, "", [])
    assert not made
