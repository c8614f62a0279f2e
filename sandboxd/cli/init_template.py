"""`sandboxd init --template`: a template's files into a project, none of its own written over."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence

from sandboxd import templates, terminal
from sandboxd.errors import UsageError
from sandboxd.files import CONFIG_NAME
from sandboxd.plan import beneath
from sandboxd.project import HAND_WRITTEN
from sandboxd.templates import File, Template

# Entries of a folder that do not count as a project.
_NO_PROJECT = re.compile(r"\.|(readme|licen[cs]e|copying|contributing|changelog)\b", re.IGNORECASE)


def listing() -> str:
    """All templates with what each is for and its options, for people."""
    parts = []
    for name in templates.names():
        template = templates.load(name)
        parts.append(f"{name}\n    {template.description}\n")
        # Options of other files have no effect on the files that `init` writes.
        used = _options_in(
            templates.files_to_write(templates.files(template, templates.values(template, {})))
        )
        for option in template.options:
            if option.name in used:
                parts.append(f"    --option {option.name}={option.default}\n")
    return "".join(parts)


def write(folder: str, name: str, assignments: Sequence[str], image: str | None) -> bool:
    """Write what the template puts into the project in `folder`; True if it is a Compose project.

    :param assignments: `NAME=VALUE` for each option that was given
    :raises UsageError: no such template or option, or something is in the way: nothing is written
    """
    template = templates.load(name)
    options = _options(template, assignments, image)
    files = templates.files_to_write(templates.files(template, templates.values(template, options)))
    for option in options.keys() - _options_in(files):
        raise UsageError(
            f"template `{name}` uses the option `{option}` only where a dev container tool applies it",
            f'write `{option} = "{options[option]}"` into sandboxd.toml afterwards',
        )
    _refuse_existing(folder, [f.path for f in files if not template.is_optional(f.path)])
    left_out = (
        [f.path for f in files if template.is_optional(f.path)] if _has_project(folder) else []
    )
    files = tuple(file for file in files if file.path not in left_out)
    if "image" not in options:
        files = _with_own_image(folder, files)
    _create(folder, files)
    for file in files:
        terminal.status(f"wrote {os.path.join(folder, file.path)}")
    if left_out:
        roots = ", ".join(f"`{path}`" for path in dict.fromkeys(p.split("/")[0] for p in left_out))
        terminal.status(f"left out {roots}: the folder has a project already")
    readme = os.path.join(template.folder, "README.md")
    terminal.status(f"what works less well under gVisor, and the switch: {readme}")
    return any(file.path == templates.MAIN_FILE for file in files)


def _options(template: Template, assignments: Sequence[str], image: str | None) -> dict[str, str]:
    options: dict[str, str] = {} if image is None else {"image": image}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(
                f"the option `{text}` has no value", f"write it as `--option {name}=VALUE`"
            )
        if name in options:
            raise UsageError(f"the option `{name}` is given twice", "leave one out")
        options[name] = value
    templates.values(template, options)
    return options


def _options_in(files: Sequence[File]) -> frozenset[str]:
    return frozenset[str]().union(*(file.options for file in files))


def _refuse_existing(folder: str, paths: Sequence[str]) -> None:
    there = [path for path in paths if os.path.lexists(os.path.join(folder, path))]
    if there == [CONFIG_NAME]:
        names = os.path.join(folder, CONFIG_NAME)
        raise UsageError(
            f"`{names}` exists already, and nothing is written",
            "edit it, then run `sandboxd generate`; or move it away",
        )
    if there:
        names = ", ".join(f"`{os.path.join(folder, path)}`" for path in there)
        raise UsageError(
            f"{names} would be written over, so nothing is written",
            "move it away, or keep it: `sandboxd init` makes a sandbox of what you have",
        )


def _has_project(folder: str) -> bool:
    return any(_NO_PROJECT.match(name) is None for name in os.listdir(folder))


def _with_own_image(folder: str, files: tuple[File, ...]) -> tuple[File, ...]:
    """Comment out the template's image where the project has a devcontainer.json, which names one."""
    if not any(os.path.lexists(os.path.join(folder, name)) for name in HAND_WRITTEN):
        return files
    comment = "# Your devcontainer.json says which image. This would be taken instead:\n# "
    return tuple(
        file._replace(text=re.sub(r"(?m)^(?=image = )", comment, file.text))
        if file.path == CONFIG_NAME
        else file
        for file in files
    )


def _create(folder: str, files: Sequence[File]) -> None:
    """Create all files or none of them; no link below `folder` is followed."""
    created: list[str] = []
    with beneath.open_folder(folder) as root:
        try:
            for file in files:
                with beneath.parent_of(root, file.path, create=True) as parent:
                    beneath.create(parent, os.path.basename(file.path), file.text.encode())
                created.append(file.path)
        except BaseException as error:
            for path in created:
                with (
                    contextlib.suppress(OSError, UsageError),
                    beneath.parent_of(root, path, create=False) as parent,
                ):
                    os.unlink(os.path.basename(path), dir_fd=parent)
            if isinstance(error, OSError):
                raise beneath.cannot_write(file.path, error) from None
            raise
