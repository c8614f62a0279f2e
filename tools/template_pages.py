"""docs/templates.md, and in devcontainer-templates/ each README and devcontainer.json.

A template's devcontainer.json is what `sandboxd generate` would write, without what depends on one
machine (docs/decisions/0022), for those who apply it with a tool that knows no sandboxd.toml. Where
sandboxd.toml names no image (Compose) it is written by hand.
"""

from __future__ import annotations

import os
import re
import sys

from sandboxd import templates
from sandboxd.config import reading
from sandboxd.config.model import Config, Setting
from sandboxd.files import CONFIG_NAME, read_source, write_atomic
from sandboxd.host.facts import UNKNOWN
from sandboxd.model.control_name import ControlName
from sandboxd.plan import profiles
from sandboxd.plan.carry import Carried
from sandboxd.plan.grants import Grants
from sandboxd.plan.layout import HOME
from sandboxd.plan.plan import Plan
from sandboxd.plan.planner import make_plan
from sandboxd.plan.profiles import Profile
from sandboxd.plan.reasons import Downgrade
from sandboxd.plan.workspace import ControlFile, WorkspaceFacts
from sandboxd.plan.writers import devcontainer_json
from sandboxd.templates import MAIN_FILE, Template

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_README = "README.md"
_NOTE = "<!-- Made by `./dev docs` from the template: change it there. -->\n\n"

# The tool that applies the file fills both in.
_ANY_FOLDER = "/${localWorkspaceFolderBasename}"
_USER = Setting("${templateOption:user}")

_SECCOMP = re.compile(r'"seccomp=[^"]*"')

_NOT_HERE = (
    Downgrade(
        ControlName.GVISOR,
        "no runtime is named here, so it is the engine's default one; `sandboxd generate` takes "
        "gVisor where it works",
    ),
    Downgrade(
        ControlName.SECCOMP,
        "docker's own list, against images whose label switches it off: which narrower one is "
        "right depends on the runtime. Podman does not know the word `builtin`: leave it out there",
    ),
    Downgrade(
        ControlName.CONTROL_FILES,
        "read-only inside is what a new project has of them; `sandboxd generate` looks for more",
    ),
)

_SUDO = "| `sudo` | gives no rights, also under runc | `sandboxd exec --root -- COMMAND` from outside |\n"
_FILES = "| many small files | `git status`, `npm install` and the like take several times as long on the mounted workspace | %s |\n"
_GVISOR = {
    "dev": '| debuggers | most work; `delve` may hang on steps, `perf` and `rr` do not run | `runtime = "runc"`, `sandboxd trust add` |\n'
    + _SUDO
    + "| Docker inside | the host's socket does not enter, and a daemon inside does not start | build on the host; other services by Compose |\n"
    + _FILES % '`runtime = "runc"`, `sandboxd trust add`'
    + "| file watchers | a change made on the host raises no event inside | `sandboxd daemon start` passes them on |\n",
    "strict": '| debuggers | the profile refuses tracing, under runc too | `profile = "dev"`, for code that you know |\n'
    + _SUDO
    + "| Docker inside | does not start | another machine |\n",
    "ro": _FILES % "`sandboxd up --allow-runc`, on the host's kernel",
}


_INDEX = """# Templates

What a kind of project needs to run in a sandbox from the first minute. In its folder:

```sh no-run: for a project of yours
sandboxd init --template python
sandboxd init --template go --option image=registry.example.com/team/go@sha256:...
```

Nothing that is there is written over. `sandboxd init --list-templates` shows what can be chosen.

| template | for | profile |
|---|---|---|
"""
_OTHER_TOOLS = """
## For other tools

Each folder of `devcontainer-templates/` is a dev container Template by the specification. Where it
is published (`devcontainer templates publish devcontainer-templates --namespace OWNER/REPOSITORY`)
editors offer it, and `devcontainer templates apply` takes it. Its `devcontainer.json` is hardened by
itself, for any machine; what depends on the machine (gVisor, the narrower seccomp list, pins of what
a project has) is put in by `sandboxd generate`.

## Another one

A folder with `devcontainer-template.json` and `sandboxd.toml`; `sample/` with a `test.sh`, and
`NOTES.md` for the README, where there is something to say. `./dev docs` makes the rest, and
`tests/contract/test_templates.py` checks it.
"""


def pages() -> dict[str, str]:
    """Path below the repository -> text, for all that is made."""
    texts = {"docs/templates.md": _index()}
    for name in templates.names():
        template = templates.load(name)
        settings = _settings(template)
        folder = f"{templates.FOLDER}/{name}"
        texts[f"{folder}/{_README}"] = _readme(template, settings)
        if settings.image is not None:
            texts[f"{folder}/{MAIN_FILE}"] = _devcontainer(template, settings)
    return texts


def stale() -> list[str]:
    """Files that differ from what the templates say."""
    return sorted(path for path, text in pages().items() if _read(f"{ROOT}/{path}") != text)


def write() -> list[str]:
    """Write what differs; returns the paths."""
    texts, late = pages(), stale()
    for path in late:
        os.makedirs(os.path.dirname(f"{ROOT}/{path}"), exist_ok=True)
        write_atomic(f"{ROOT}/{path}", texts[path].encode())
    return late


def _index() -> str:
    rows = []
    for name in templates.names():
        template = templates.load(name)
        profile = _settings(template).profile.value
        link = f"[{name}](../{templates.FOLDER}/{name}/README.md)"
        rows.append(f"| {link} | {template.description} | [{profile}](profiles.md#{profile}) |\n")
    return f"{_NOTE}{_INDEX}{''.join(rows)}{_OTHER_TOOLS}"


def _settings(template: Template) -> Config:
    source = read_source(os.path.join(template.folder, CONFIG_NAME))
    read, findings = reading.parse(source)
    if read is None:
        raise ValueError(f"{source.path}: {findings[0].message}")
    return read


def _devcontainer(template: Template, settings: Config) -> str:
    plan = _portable(template, settings)
    name = Carried(members=(("name", template.title),))
    head = "// Made for any machine from sandboxd.toml, for tools that do not know that file.\n"
    text = devcontainer_json.render(plan, name)
    text = _SECCOMP.sub('"seccomp=builtin"', re.sub(r" *// .*sha256:.*\n", "", text))
    # Here the user has a name, and tools look for the home that the image gives it.
    return head + text.replace(HOME, "/home/${templateOption:user}")


def _portable(template: Template, settings: Config) -> Plan:
    """The plan of a new project, without what is known only on the machine it is for."""
    profile = profiles.load(settings.profile.value)
    if settings.user is None:
        settings = settings._replace(user=_USER)
    files = WorkspaceFacts(_ANY_FOLDER, control_files=_pinned(template, profile))
    plan = make_plan(profile, settings, UNKNOWN, None, files, Grants(allow_runc=True))
    # Applied on any machine: not each engine can mount a part of a volume.
    plan = plan._replace(subpath_mounts=False)
    container = plan.container._replace(runtime=None)
    there = {"network", "writable root file system", "results"}
    downgrades = tuple(d for d in plan.downgrades if d.control in there)
    return plan._replace(container=container, downgrades=(*_NOT_HERE, *downgrades))


def _pinned(template: Template, profile: Profile) -> tuple[ControlFile, ...]:
    """Control files that everybody who applies the template has; a mount of another would fail."""
    placed = [
        file.path for file in templates.files(template, {}) if not template.is_optional(file.path)
    ]
    # This one is being made.
    placed.append(MAIN_FILE)
    lines = []
    for path in sorted(profile.control_files):
        if path in placed:
            lines.append(ControlFile(path, "file"))
        elif any(other.startswith(f"{path}/") for other in placed):
            lines.append(ControlFile(path, "directory"))
    return tuple(lines)


def _readme(template: Template, settings: Config) -> str:
    profile = profiles.load(settings.profile.value)
    notes = os.path.join(template.folder, "NOTES.md")
    parts = [
        f"{_NOTE}# {template.title}\n\n{template.description}\n\n{_commands(template, settings)}",
        f"## What it gives\n\n{_gives(profile, settings)}",
        f"## Options\n\n{_options(template)}",
        "## What works less well under gVisor\n\n| what | how | the switch |\n|---|---|---|\n"
        + _GVISOR["dev" if profile.name == "dev" else "strict"]
        + _GVISOR.get(profile.access, ""),
        _read(notes),
    ]
    return "\n".join(part for part in parts if part)


def _commands(template: Template, settings: Config) -> str:
    lines = [f"sandboxd init --template {template.name}", "sandboxd generate"]
    has_sample = os.path.exists(os.path.join(template.folder, "sample"))
    if settings.image is not None:
        lines.append("sandboxd up")
        if has_sample:
            lines.append("sandboxd exec -- sh sample/test.sh")
    text = "```sh no-run: for a project of yours\n" + "\n".join(lines) + "\n```\n"
    if has_sample:
        text += (
            "\n`sample/` is a program with a test, to see that all works. It is left out where a "
            "project is there\nalready; delete it when it did its work.\n"
        )
    return text


def _gives(profile: Profile, settings: Config) -> str:
    rows = {
        "profile": f"`{profile.name}`: {profile.purpose}",
        "runtime": {
            "required": "gVisor, else refused (`--allow-runc` is the way without)",
            "preferred": "gVisor where it works, else runc, with the reason said",
        }.get(profile.gvisor, "runc"),
        "capabilities": f"{' '.join(profile.cap_add) or 'none'}; no setuid program gives more",
        "user": "the owner of the workspace, by number (where that is root, the image's own user)"
        if settings.image is not None
        else "the one of the image that the option `user` names; not root",
        "root file system": "read-only" if profile.read_only_root else "writable",
        "workspace": {
            "rw": "writable, control files read-only",
            "ro": "read-only",
            "copy": (
                "a copy that lasts"
                if profile.lasts
                else f"a copy in memory, {profile.copy} at most"
            )
            + "; the original is read-only",
        }[profile.access],
        "network": {"open": "open", "allow": "names through the gateway", "none": "none"}[
            profile.network.mode
        ],
        "limits": f"{profile.memory} of memory, {profile.processes} processes",
        "time limit": profile.time or "none",
    }
    return "| | |\n|---|---|\n" + "".join(f"| {key} | {text} |\n" for key, text in rows.items())


def _options(template: Template) -> str:
    rows = "".join(
        f"| `{option.name}` | {option.description} | `{option.default}` |\n"
        for option in template.options
    )
    return f"`--option NAME=VALUE` sets one.\n\n| option | what | default |\n|---|---|---|\n{rows}"


def _read(path: str) -> str:
    return read_source(path).text if os.path.exists(path) else ""


if __name__ == "__main__":
    sys.stdout.write("".join(f"{path}\n" for path in write()))
