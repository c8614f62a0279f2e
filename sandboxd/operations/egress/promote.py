"""Make a name a rule of sandboxd.toml, where it is permanent, reviewed, and in force for everybody."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from sandboxd.errors import UsageError
from sandboxd.operations.egress import _project
from sandboxd.operations.egress._target import target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandboxd.operations.egress._project import ProjectWithGateway
    from sandboxd.operations.egress._target import Target


class Promoted(NamedTuple):
    """The change to a sandboxd.toml."""

    path: str
    """The path of the sandboxd.toml."""
    entries: tuple[str, ...]
    """The new entries of `[network] allow`."""
    carried: tuple[str, ...]
    """Entries of the profile that were written along with it, since the list in the file replaces the profile's."""


def promote(directory: str, environ: Mapping[str, str], text: str) -> Promoted:
    """Add `text` to `[network] allow` in the sandboxd.toml of the project that `directory` lies in.

    Nothing else in the file changes. The rule is in force once the user trusts the file; an approval of the name stays
    until it ends.

    :raises UsageError: there is no sandboxd.toml, the name is forbidden or denied, or it is a rule already
    """
    from sandboxd.egress.approvals import obstacle
    from sandboxd.policy import approvals

    now = time.time()
    project = _project.open_project(directory, environ, now)
    meant = target(text)
    reason = obstacle(
        project.planned,
        meant.pattern,
        meant.ports,
        project.limits._replace(may_grant=True),
    )
    if reason:
        raise UsageError(
            f"`{meant.pattern}` is denied by a policy, and no rule changes that",
            "`sandboxd policy` shows which file says so",
        )
    answers = approvals.of_project(environ, project.workspace, now)
    for answer in answers:
        if not answer.allows and answer.pattern.covers(meant.pattern):
            raise UsageError(
                f"you denied `{answer.pattern}`, and no rule changes that",
                f"`sandboxd egress deny --undo '{answer.pattern}'` first",
            )
    config = project.config
    if config.path is None:
        raise UsageError(
            f"`{project.workspace}` has no sandboxd.toml to write to", "`sandboxd init` makes one"
        )
    ports = [a.ports for a in answers if a.allows and a.pattern == meant.pattern]
    wanted = _entries(meant, ports)
    names = config.network.allow
    before = [setting.value.text for setting in names] if names is not None else _groups(project)
    entries = tuple(entry for entry in wanted if entry not in before)
    if not entries:
        raise UsageError(
            f"`{wanted[0]}` is in `[network] allow` already",
            "`sandboxd trust add` if it is no rule yet",
        )
    _write(config.path, [*before, *entries])
    carried = () if names is not None else tuple(before)
    return Promoted(config.path, entries, carried)


def _entries(meant: Target, ports: list[tuple[int, ...]]) -> list[str]:
    """Entries as sandboxd.toml has them: one for each port, none named for the usual two."""
    from sandboxd.egress.words import USUAL_PORTS

    if meant.has_port or not ports:
        ports = [meant.ports]
    entries: dict[str, None] = {}
    for some in ports:
        if some == USUAL_PORTS:
            entries[str(meant.pattern)] = None
        else:
            entries.update(dict.fromkeys(f"{meant.pattern}:{port}" for port in some))
    return list(entries)


def _groups(project: ProjectWithGateway) -> list[str]:
    """The groups that the profile lets through for the project's files."""
    from sandboxd.egress import groups

    sources = {rule.source for rule in project.planned.rules}
    return [name for name in groups.names() if f"group {name}" in sources]


def _write(path: str, entries: list[str]) -> None:
    from sandboxd.config.reading import parse
    from sandboxd.files import decode, read_bytes
    from sandboxd.observe import in_use
    from sandboxd.syntax import toml, toml_edit
    from sandboxd.text import SourceText, apply_edits

    data = read_bytes(path)
    text = decode(data)
    try:
        edits = toml_edit.set_value(text, toml.parse(text), ("network", "allow"), entries)
    except ValueError as error:
        raise UsageError(f"`{path}` cannot be edited: {error}", "add it by hand") from None
    edited = apply_edits(text, edits)
    config, findings = parse(SourceText(path, edited))
    if config is None:
        raise UsageError(
            f"`{path}` would not be valid with it: {findings[0].message}", "add it by hand"
        )
    mark = data[:3] if data.startswith(b"\xef\xbb\xbf") else b""
    in_use.write(path, mark + edited.encode())
