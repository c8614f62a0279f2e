"""Refuses to set gVisor up with an engine that does not read the config which `setup` would write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

_OTHERS = {
    "podman": "is Podman, which reads no daemon.json",
    "rootless": "is rootless, and reads the daemon.json of its user",
}
"""Platforms (`host.platforms`) of engines that the steps are not for, each with why."""


def require_system_engine(host: str, environ: Mapping[str, str]) -> None:
    """Refuse an engine that is not the one of this machine's /etc/docker/daemon.json.

    One that does not answer is not refused: it is read when it starts.

    :raises EnvironmentFailure: it is rootless, or Podman; the hint is how to set it up
    """
    from sandboxd.host.platforms import name_of, platform_of
    from sandboxd.host.probe import probe

    facts = probe({**environ, "DOCKER_HOST": host}, trial=False)
    why = _OTHERS.get(name_of(facts)) if facts.answered else None
    if why is None:
        return
    way = next((way for way in platform_of(facts).ALTERNATIVES if "gVisor" in way.title), None)
    steps = ", then ".join(f"`{step}`" for step in way.steps) if way is not None else ""
    raise EnvironmentFailure(
        f"the engine at `{host}` {why}: nothing of it would change",
        f"as who runs it: {steps}; for another engine: `--socket PATH`",
    )
