"""The checks of `sandboxd self-test`: whether this installation is whole and can do its work here."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from sandboxd.errors import EXIT_BUG, EXIT_ENVIRONMENT, EXIT_OK, DaemonError

GOOD, BAD, ABSENT = "ok", "failed", "absent"
"""`ABSENT`: something optional that is not installed."""

_WEAK = '{"image": "debian:13", "runArgs": ["--privileged"]}\n'
_EXPECTED = "privileged-container"
_SECONDS = 20.0


class Result(NamedTuple):
    """One line of the table; `exit_code` is that of the program when nothing else failed."""

    name: str
    outcome: str
    detail: str
    exit_code: int = EXIT_OK


class Broken(Exception):
    """A part of the installation does not work; the text says what."""


def run(environ: Mapping[str, str]) -> Iterator[Result]:
    """All checks; a failure may explain those of later checks, but not of earlier ones."""
    for name, look in _LOOKS.items():
        try:
            yield Result(name, GOOD, look(environ))
        except Exception as error:
            # Any exception is a result of the table, not a crash of the command.
            detail = str(error) if isinstance(error, Broken) else f"{type(error).__name__}: {error}"
            yield Result(name, BAD, detail, EXIT_BUG)
    yield _socket_folder(environ)
    yield _engine(environ)


def _data(_environ: Mapping[str, str]) -> str:
    from sandboxd.data import data_path
    from sandboxd.plan import profiles

    count = sum(_read_all(data_path(name)) for name in ("profiles", "devcontainer-templates"))
    names = profiles.names()
    for name in names:
        profile = profiles.load(name)
        lists = (profile.seccomp_runc, profile.seccomp_runsc)
        for file in (*lists, profile.nested_runc, profile.nested_runsc):
            if file and not os.path.isfile(profiles.seccomp_path(file)):
                raise Broken(f"profile `{name}` names `{file}`, which is missing")
    return f"{count} files, {len(names)} profiles, below {data_path()}"


def _read_all(folder: str) -> int:
    """Parse all data below `folder`; returns the number of files."""
    from sandboxd.data import walk_data
    from sandboxd.syntax import jsonc

    count = 0
    for path in walk_data(folder):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if path.endswith(".toml"):
            tomllib.loads(text)
        elif path.endswith(".json") and jsonc.parse(text).problems:
            raise Broken(f"`{path}` is no JSON")
        count += 1
    if not count:
        raise Broken(f"`{folder}` is missing or empty")
    return count


def _rules(_environ: Mapping[str, str]) -> str:
    from sandboxd import rules

    return f"{len(rules.load())} rules"


def _check(_environ: Mapping[str, str]) -> str:
    from sandboxd.lint.analysis import check_source
    from sandboxd.text import SourceText

    report = check_source(SourceText("/self-test/.devcontainer/devcontainer.json", _WEAK))
    findings = [finding for finding in report.findings if finding.rule == _EXPECTED]
    if not findings or report.skipped:
        raise Broken(f"a privileged container gave {len(report.findings)} findings, none of it")
    if not findings[0].fixes:
        raise Broken(f"`{_EXPECTED}` came without its fix")
    return f"`{_EXPECTED}` is found, with its fix"


def _language_server(_environ: Mapping[str, str]) -> str:
    answer = asyncio.run(asyncio.wait_for(_initialize(), _SECONDS))
    offered = answer.get("result", {}).get("capabilities", {})
    if "textDocumentSync" not in offered:
        raise Broken(f"it answers `initialize` with {json.dumps(answer)[:200]}")
    return f"answers `initialize`, {len(offered)} capabilities"


class _Answers(list[bytes]):
    """A writer that keeps what is written."""

    def write(self, data: bytes) -> None:
        self.append(bytes(data))

    def close(self) -> None:
        """Do nothing: there is no stream to close."""


async def _initialize() -> Any:
    from sandboxd.lsp.session import Session

    reader, answers = asyncio.StreamReader(), _Answers()
    arguments: dict[str, object] = {"processId": None, "rootUri": None, "capabilities": {}}
    questions: tuple[dict[str, object], ...] = (
        {"id": 1, "method": "initialize", "params": arguments},
        {"id": 2, "method": "shutdown"},
        {"method": "exit"},
    )
    for message in questions:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        reader.feed_data(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    reader.feed_eof()
    await Session({}).run(reader, answers)
    for part in b"".join(answers).split(b"Content-Length: "):
        _, _, text = part.partition(b"\r\n\r\n")
        answer = json.loads(text) if text else {}
        if answer.get("id") == 1:
            return answer
    return {}


def _socket_folder(environ: Mapping[str, str]) -> Result:
    """Create the socket's folder as a daemon would; it is removed again if it did not exist before."""
    from sandboxd.ipc import address

    name = "daemon"
    if not hasattr(os, "getuid"):
        return Result(name, ABSENT, "no Unix sockets on this system; `check` and `lsp` need none")
    where = address.folder(environ, os.getuid())
    new = [path for path in (where, os.path.dirname(where)) if not os.path.lexists(path)]
    try:
        address.ensure_folder(where, os.getuid())
        address.socket_path(where)
    except DaemonError as error:
        return Result(name, BAD, error.message, EXIT_ENVIRONMENT)
    for path in new:
        os.rmdir(path)
    return Result(name, GOOD, f"its socket has a private place, `{where}`")


def _engine(environ: Mapping[str, str]) -> Result:
    from sandboxd.host.probe import probe

    engine = probe(environ, trial=False).engine
    if engine is None or engine.error:
        why = engine.error if engine is not None else "it was not asked"
        return Result("engine", ABSENT, f"{why}; `check` and `lsp` need none")
    return Result("engine", GOOD, f"{engine.kind or 'engine'} {engine.version or ''}".rstrip())


def python() -> str:
    """Version of Python and name of the system, for the headline."""
    return f"Python {'.'.join(map(str, sys.version_info[:3]))} on {sys.platform}"


_LOOKS: dict[str, Callable[[Mapping[str, str]], str]] = {
    "data": _data,
    "rules": _rules,
    "check": _check,
    "language server": _language_server,
}
