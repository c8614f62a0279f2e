"""An AI agent as data, read from its TOML file (`shipped`): its program, its command lines, its needs. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from sandboxd.egress.group import load as load_group

if TYPE_CHECKING:
    from collections.abc import Sequence

REGISTRY = "npm"
"""The name of the host group that packages are downloaded from."""

UNATTENDED, SETTINGS, TASK = "{unattended}", "{settings}", "{task}"
"""Placeholders in a command line, each a whole word: for the agent's `unattended` and `settings` arguments, and for
the task."""

_KEYS = frozenset({"title", "source", "program", "command"})
_OPTIONAL = frozenset(
    {
        "inner_sandbox",
        "limits",
        "credentials",
        "allow",
        "needs",
        "package",
        "environment",
        "files",
        "hide",
    }
)
_COMMAND_KEYS = frozenset({"start"})
_COMMAND_OPTIONAL = frozenset({"unattended", "settings", "print", "resume", "print_resume"})
_PACKAGE_KEYS = frozenset({"name", "version", "integrity"})
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_PACKAGE_NAME = re.compile(r"(@[a-z0-9-]+/)?[a-z0-9][a-z0-9._-]*")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]*")
_INTEGRITY = re.compile(r"sha512-[A-Za-z0-9+/]{86}==")
_MACHINES = ("x86_64", "aarch64")


class Package(NamedTuple):
    """A package of the npm registry with a part of an agent; it is unpacked only if its archive has this digest."""

    name: str
    version: str
    integrity: str
    """The digest as npm writes it: ``sha512-`` and the digest of the archive in base64."""
    machine: str = ""
    """The processor architecture that it is for, as `uname -m` names it; '' for all."""
    program: str = ""
    """The path of the agent's program in the package, if it differs by architecture; else ''."""

    @property
    def url(self) -> str:
        """The URL of the package's archive."""
        (host,) = load_group(REGISTRY).hosts
        base = self.name.rpartition("/")[2]
        return f"https://{host.pattern}/{self.name}/-/{base}-{self.version}.tgz"


class Commands(NamedTuple):
    """The arguments after the program's name for each way to start the agent; () for a way that it does not have."""

    start: tuple[str, ...]
    print: tuple[str, ...] = ()
    """For a single task without a terminal."""
    resume: tuple[str, ...] = ()
    """To continue the last conversation."""
    print_resume: tuple[str, ...] = ()
    """To continue the last conversation with a single task, without a terminal."""


class Agent(NamedTuple):
    """One AI agent that `sandboxd agent` can start."""

    name: str
    title: str
    """Its name as people write it."""
    source: str
    """The URL of the maker's page that documents these command lines."""
    program: str
    """The path of the program in the folder of its packages; without packages, the name of a program in the image."""
    commands: Commands
    settings: tuple[str, ...] = ()
    """Arguments that make it use the sandbox's gateway."""
    unattended: tuple[str, ...] = ()
    """Arguments that turn off its own requests for confirmation, since the sandbox limits what it can do."""
    inner_sandbox: str = ""
    """Whether the agent's own sandbox is on inside this one, and why, for a person; '' for an agent without one."""
    limits: str = ""
    """Limits of the agent in a sandbox, for a person; '' for none known."""
    credentials: tuple[str, ...] = ()
    """The services that it uses with the user's secret, which only the gateway has."""
    allow: tuple[str, ...] = ()
    """Host names and host groups that it may reach beside those services."""
    needs: tuple[str, ...] = ()
    """Programs that the image must contain."""
    packages: tuple[Package, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    """(name, value) of environment variables to set."""
    files: tuple[tuple[str, str], ...] = ()
    """(path below the home folder inside, text) of files that are written unless they exist."""
    hide: tuple[str, ...] = ()
    """Patterns of files of the project that stay out of its sandbox, as of a `.gitignore`."""

    def of_machine(self, machine: str) -> tuple[Package, ...]:
        """The agent's packages for one processor architecture.

        :param machine: as `uname -m` names it
        """
        return tuple(each for each in self.packages if each.machine in ("", machine))

    def words(self, *, print_: bool = False, resume: bool = False) -> list[str]:
        """The program's arguments with its settings and flags; `TASK` stands where the task goes.

        :param print_: for a single task without a terminal
        :param resume: to continue the last conversation
        :raises LookupError: the agent cannot be started in this way
        """
        commands = self.commands
        if print_:
            chosen = commands.print_resume if resume else commands.print
        else:
            chosen = commands.resume if resume else commands.start
        if not chosen and (print_ or resume):
            raise LookupError(self.name)
        lists = {UNATTENDED: self.unattended, SETTINGS: self.settings}
        return [each for word in chosen for each in lists.get(word, (word,))]


def digest(packages: Sequence[Package]) -> str:
    """A digest of the content of `packages`: 16 hexadecimal digits."""
    text = "\n".join(f"{each.name} {each.integrity}" for each in packages)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read(name: str, data: dict[str, Any]) -> Agent:
    """The agent that the parsed TOML file `data` describes.

    :raises ValueError: a key is missing or unknown, or has a value that is not valid
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"`{name}` is no name: small letters, digits and `-`")
    _require("it", data, _KEYS, _OPTIONAL)
    commands = data["command"]
    _require("`command`", commands, _COMMAND_KEYS, _COMMAND_OPTIONAL)
    agent = Agent(
        name,
        _text(data, "title"),
        _text(data, "source"),
        _text(data, "program"),
        Commands(
            _texts(commands, "start"),
            _texts(commands, "print"),
            _texts(commands, "resume"),
            _texts(commands, "print_resume"),
        ),
        _texts(commands, "settings"),
        _texts(commands, "unattended"),
        _text(data, "inner_sandbox"),
        _text(data, "limits"),
        _texts(data, "credentials"),
        _texts(data, "allow"),
        _texts(data, "needs"),
        tuple(_package(entry) for entry in data.get("package", ())),
        _pairs(data, "environment"),
        _pairs(data, "files"),
        _texts(data, "hide"),
    )
    for program in (agent.program, *(each.program or "x" for each in agent.packages)):
        if not program or program[0] in "-/" or ".." in program.split("/"):
            raise ValueError(f"`program` is no path or name: `{program}`")
    if any(path.startswith("/") or ".." in path.split("/") for path, _ in agent.files):
        raise ValueError("a path of `files` leads out of the home")
    return agent


def of_command(name: str, command: Sequence[str]) -> Agent:
    """The agent for a program of the image that no file describes; its arguments come with each start.

    :param command: the program, then its arguments
    """
    return Agent(name, command[0], "", command[0], Commands(()))


def _require(
    what: str, data: object, keys: frozenset[str], optional: frozenset[str] = frozenset()
) -> None:
    if not isinstance(data, dict):
        raise ValueError(f"{what} is no table")
    if missing := sorted(keys - data.keys()):
        raise ValueError(f"{what} lacks `{missing[0]}`")
    if unknown := sorted(data.keys() - keys - optional):
        raise ValueError(f"{what} has an unknown key `{unknown[0]}`")


def _package(data: object) -> Package:
    _require("a `package`", data, _PACKAGE_KEYS, frozenset({"machine", "program"}))
    assert isinstance(data, dict)
    package = Package(*(_text(data, key) for key in Package._fields))
    forms = ((_PACKAGE_NAME, package.name), (_VERSION, package.version))
    if any(form.fullmatch(text) is None for form, text in forms):
        raise ValueError(f"`{package.name}` {package.version} is no package of npm")
    if not _INTEGRITY.fullmatch(package.integrity):
        raise ValueError(f"the integrity of `{package.name}` is no `sha512-...` as npm has it")
    if package.machine not in ("", *_MACHINES):
        raise ValueError(f"the machine of `{package.name}` is none of {', '.join(_MACHINES)}")
    return package


def _text(data: dict[str, Any], key: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"`{key}` is no text")
    return value


def _texts(data: dict[str, Any], key: str) -> tuple[str, ...]:
    values = data.get(key, [])
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise ValueError(f"`{key}` is no list of texts")
    return tuple(values)


def _pairs(data: dict[str, Any], key: str) -> tuple[tuple[str, str], ...]:
    table = data.get(key, {})
    if not isinstance(table, dict) or not all(isinstance(each, str) for each in table.values()):
        raise ValueError(f"`{key}` is no table of texts")
    return tuple(table.items())
