"""Where the config files of a workspace are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.lint import usual_places

PLACES = (
    "sandboxd.toml",
    ".devcontainer.json",
    ".devcontainer/devcontainer.json",
    ".devcontainer/api/devcontainer.json",
    ".devcontainer/web/devcontainer.json",
)


@pytest.mark.parametrize("places", [PLACES, PLACES[:2], PLACES[2:3], ()], ids=len)
def test_every_place_that_has_a_file_is_named(tmp_path: Path, places: tuple[str, ...]) -> None:
    for place in places:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    assert list(usual_places.config_files(str(tmp_path))) == [str(tmp_path / p) for p in places]


def test_of_too_many_folders_some_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usual_places, "_MOST_FILES", 2)
    for name in ("a", "b", "c"):
        folder = tmp_path / ".devcontainer" / name
        folder.mkdir(parents=True)
        (folder / "devcontainer.json").write_text("{}")
    assert len(list(usual_places.config_files(str(tmp_path)))) == 2
