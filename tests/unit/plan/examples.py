"""Hosts, workspaces and configs that the tests of the planner share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sandboxd.config import reading
from sandboxd.config.model import Config
from sandboxd.formats import devcontainer
from sandboxd.formats.resolved.container import effective
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import Engine, HostFacts, Runtime
from sandboxd.host.facts.raw_answers import from_raw
from sandboxd.host.platforms import why_nothing_starts
from sandboxd.model.container import Container
from sandboxd.model.document import Document
from sandboxd.plan import profiles
from sandboxd.plan.git_objects import ObjectFolder, ObjectFolders
from sandboxd.plan.grants import Grants
from sandboxd.plan.own_git import OwnGit
from sandboxd.plan.plan import Plan
from sandboxd.plan.planner import make_plan
from sandboxd.plan.workspace import ControlFile, WorkspaceFacts
from sandboxd.text import SourceText

WORKSPACE = "/home/dev/weather"

_HOSTS = Path(__file__).parents[2] / "hosts"


def recorded(name: str) -> HostFacts:
    return from_raw(json.loads((_HOSTS / f"{name}.json").read_text()))


HOSTS = {
    name: facts
    for name, facts in ((path.stem, recorded(path.stem)) for path in _HOSTS.glob("*.json"))
    if why_nothing_starts(facts) is None
}
"""The recorded machines on which containers start: elsewhere there is no plan."""
GVISOR = HOSTS["debian-13-runsc"]
PLAIN = HOSTS["debian-13-no-runsc"]


def only(*runtimes: Runtime, **engine: Any) -> HostFacts:
    """A Linux host whose engine has these runtimes."""
    options: dict[str, Any] = {"security_options": ("name=seccomp,profile=builtin",), **engine}
    return HostFacts(
        "Linux",
        engine=Engine("unix:///x", runtimes=runtimes, **options),
    )


RUNC = Runtime("runc", "runc", usable=True, gvisor=False)
STOCK = Runtime("runsc", "/usr/bin/runsc", usable=True, gvisor=True)
DIRECTFS = only(RUNC, STOCK)


def own_git(*refused: str, path: str = WORKSPACE) -> OwnGit:
    """The git directory of a sandbox of the workspace `path`.

    :param refused: folders of objects that the repository names elsewhere
    """
    place = "/home/dev/.local/state/sandboxd/git/0123456789abcdef0123456789abcdef"
    objects = ObjectFolder(f"{path}/.git/objects", bool(refused))
    return OwnGit(f"{place}/inside", f"{place}/empty", ObjectFolders((objects,), refused))


def workspace(**changes: object) -> WorkspaceFacts:
    facts = WorkspaceFacts(
        WORKSPACE,
        1000,
        1000,
        (
            ControlFile(".devcontainer", "directory"),
            ControlFile(".git", "directory"),
            ControlFile(".vscode", "missing"),
            ControlFile("sandboxd.toml", "file"),
        ),
        subnet="198.18.32.0/19",
    )
    path = str(changes.get("path", WORKSPACE))
    return facts._replace(**{"own_git": own_git(path=path), **changes})  # type: ignore[arg-type]


def configured(text: str = 'image = "img:1"') -> Config:
    parsed, findings = reading.parse(SourceText(f"{WORKSPACE}/sandboxd.toml", text))
    assert parsed is not None, findings
    return parsed


def document(text: str, folder: str = ".devcontainer") -> Document:
    name = f"{folder}/devcontainer.json" if folder else ".devcontainer.json"
    return devcontainer.parse(SourceText(f"{WORKSPACE}/{name}", text))


def base(text: str) -> Container:
    container = effective(document(text), Variables(workspace=WORKSPACE, home="/home/dev"))
    assert container is not None
    return container


RUNC_GRANTED = Grants(allow_runc=True, trusted=True)


def plan_of(config: Config, *facts: Any, **rest: Any) -> Plan:
    """The plan of `config` by the profile that it names; the arguments are those of `make_plan`."""
    return make_plan(profiles.load(config.profile.value), config, *facts, **rest)


def plan(
    text: str = "", host: HostFacts = GVISOR, hand_written: str | None = None, **rest: Any
) -> Plan:
    """The plan of a config, with an image where it names none, and of a devcontainer.json."""
    container = base(hand_written) if hand_written is not None else None
    image = "" if "image" in text or hand_written is not None else 'image = "img:1"\n'
    facts = rest.pop("workspace", workspace())
    return plan_of(configured(image + text), host, container, facts, **rest)


def controls(plan: Plan) -> list[str]:
    return [downgrade.control for downgrade in plan.downgrades]
