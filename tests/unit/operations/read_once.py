"""Makes long walks cheap: what is read of a file is worked out once for each content."""

from __future__ import annotations

import functools
import tomllib
from typing import Any

import pytest

from sandboxd.config import reading
from sandboxd.config.model import Config
from sandboxd.plan import names
from sandboxd.plan.profiles import Profile
from sandboxd.plan.project_hosts import ProjectHosts
from sandboxd.plan.workspace import hosts_near
from sandboxd.text import SourceText


def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each text parsed once: the same few ones come again and again. Files are read each time."""
    parse, parse_config, choose = tomllib.loads, reading.parse, names.chosen_by_files
    once: dict[tuple[str, ...], Any] = {}
    chosen: dict[tuple[Any, ...], Any] = {}

    def config(source: SourceText, workspace: str = "") -> Any:
        key = (source.path, source.text, workspace)
        if key not in once:
            once[key] = parse_config(source, workspace)
        return once[key]

    def by_files(profile: Profile, config: Config, facts: ProjectHosts) -> Any:
        key = (profile.name, config.image, facts)
        if key not in chosen:
            chosen[key] = choose(profile, config, facts)
        return chosen[key]

    monkeypatch.setattr(tomllib, "loads", functools.cache(parse))
    monkeypatch.setattr(reading, "parse", config)
    monkeypatch.setattr(names, "chosen_by_files", by_files)
    # Nothing but sandboxd.toml changes in the project.
    monkeypatch.setattr("sandboxd.project.hosts_near", functools.cache(hosts_near))
