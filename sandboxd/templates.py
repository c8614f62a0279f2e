"""The shipped templates: their files, and the text with the options filled in.

Each is a folder that dev container tools can apply as well (docs/decisions/0022).
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from typing import NamedTuple

from sandboxd.data import data_path, walk_data
from sandboxd.errors import UsageError
from sandboxd.files import CONFIG_NAME, read_source

FOLDER = "devcontainer-templates"
METADATA = "devcontainer-template.json"
MAIN_FILE = ".devcontainer/devcontainer.json"

# Tools that apply templates copy all but these.
_ABOUT = (METADATA, "README.md", "NOTES.md")
_OPTION = re.compile(r"\$\{templateOption:\s*(\w+?)\s*\}")
# Characters that would end a string of TOML, JSON or YAML, or start an escape or a variable in it.
_NOT_IN_A_VALUE = '"\\$'


class Option(NamedTuple):
    """An option of a template that its user can choose."""

    name: str
    description: str
    default: str


class Template(NamedTuple):
    """A template for a project.

    `folder` is its path on this machine. `optional` are paths that a project can do without; ``name/*`` stands for a
    folder.
    """

    name: str
    title: str
    description: str
    options: tuple[Option, ...]
    optional: tuple[str, ...]
    folder: str

    def is_optional(self, path: str) -> bool:
        return any(
            path == entry or (entry.endswith("/*") and path.startswith(entry[:-1]))
            for entry in self.optional
        )


class File(NamedTuple):
    """A file of a template: its path within a project, its text, and the options in it."""

    path: str
    text: str
    options: frozenset[str]


def names() -> tuple[str, ...]:
    """Names of the templates that ship."""
    folder = data_path(FOLDER)
    return tuple(
        sorted(
            name
            for name in os.listdir(folder)
            if os.path.exists(os.path.join(folder, name, METADATA))
        )
    )


def load(name: str) -> Template:
    """Read the template `name`.

    :raises UsageError: there is none of that name; the message lists all names
    """
    available = names()
    if name not in available:
        listed = ", ".join(f"`{other}`" for other in available)
        raise UsageError(
            f"there is no template `{name}`; there are {listed}",
            _did_you_mean(name, available, "sandboxd init --template ")
            or "`sandboxd init --list-templates` says what each is for",
        )
    folder = data_path(FOLDER, name)
    data = json.loads(read_source(os.path.join(folder, METADATA)).text)
    return Template(
        name=name,
        title=data["name"],
        description=data["description"],
        options=tuple(
            Option(key, option["description"], option["default"])
            for key, option in data["options"].items()
        ),
        optional=tuple(data.get("optionalPaths", ())),
        folder=folder,
    )


def values(template: Template, chosen: Mapping[str, str]) -> dict[str, str]:
    """The value of each option: the one in `chosen`, otherwise its default.

    :raises UsageError: there is no such option, or a value cannot be written into the files
    """
    defaults = {option.name: option.default for option in template.options}
    for name, value in chosen.items():
        if name not in defaults:
            listed = ", ".join(f"`{other}`" for other in defaults)
            raise UsageError(
                f"template `{template.name}` has no option `{name}`; it has {listed}",
                _did_you_mean(name, tuple(defaults), "--option ", "=..."),
            )
        if not value.strip() or not value.isprintable() or set(value) & set(_NOT_IN_A_VALUE):
            raise UsageError(
                f"the option `{name}` cannot be `{value}`",
                f"give a plain text, such as `--option {name}={defaults[name]}`",
            )
    return defaults | dict(chosen)


def files(template: Template, chosen: Mapping[str, str]) -> tuple[File, ...]:
    """All files that the template puts into a project, with the options filled in, sorted by path."""
    entries = []
    for shipped in walk_data(template.folder):
        path = os.path.relpath(shipped, template.folder)
        if path not in _ABOUT:
            text = read_source(shipped).text
            used = frozenset(_OPTION.findall(text))
            filled = _OPTION.sub(lambda match: chosen.get(match[1], ""), text)
            entries.append(File(path, filled, used))
    return tuple(sorted(entries))


def files_to_write(all_files: tuple[File, ...]) -> tuple[File, ...]:
    """The files of a template that `sandboxd generate` does not write.

    If its sandboxd.toml names the image, the devcontainer.json is generated.
    """
    config = next(file.text for file in all_files if file.path == CONFIG_NAME)
    if "image" not in tomllib.loads(config):
        return all_files
    return tuple(file for file in all_files if file.path != MAIN_FILE)


def _did_you_mean(name: str, choices: tuple[str, ...], before: str, after: str = "") -> str:
    from difflib import get_close_matches

    close = [other for other in choices if name and other.startswith(name.lower())]
    close = close or get_close_matches(name.lower(), choices, n=1)
    return f"did you mean `{before}{close[0]}{after}`?" if close else ""
