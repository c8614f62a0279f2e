"""One run of `check` between its arguments and its output: read, judge, fix, write."""

from __future__ import annotations

import codecs
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from sandboxd import files, formats
from sandboxd.errors import SandboxdError, UnreadableError
from sandboxd.findings import Report, Skipped
from sandboxd.host.facts import HostFacts
from sandboxd.lint import tree
from sandboxd.lint.analysis import Fixes
from sandboxd.lint.linter import Linter, combine
from sandboxd.lint.settings import NO_SETTINGS
from sandboxd.model.files import Files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.cli._baseline import Baseline
    from sandboxd.findings import Severity
    from sandboxd.formats import Kind
    from sandboxd.lint.fixing import Fixed
    from sandboxd.lint.settings import RuleSettings
    from sandboxd.text import SourceText


class Checked(NamedTuple):
    """The report, and the files and folders that could not be read for it.

    `unreadable` were named by the user, or are configs that do not apply; `skipped` were met by a search.
    """

    report: Report
    unreadable: tuple[Skipped, ...]
    skipped: tuple[Skipped, ...] = ()


class CheckRun:
    """One run of `check`. Findings below `threshold` are left out.

    :param no_allow: as in `Linter`
    """

    def __init__(
        self, environ: Mapping[str, str], cwd: str, threshold: Severity, no_allow: str = ""
    ) -> None:
        self.cwd = cwd
        self.threshold = threshold
        host = HostFacts(home=environ.get("HOME"))
        self.linter = Linter(environ, host, needs_policy=True, no_allow=no_allow)
        self.sources: dict[str, SourceText] = {}
        self.raw: dict[str, bytes] = {}
        self.unreadable: list[Skipped] = []
        self.skipped: list[Skipped] = []
        """Files and folders that a search met and could not read."""
        self.ignored: tuple[str, ...] = ()
        """Files of ours that git ignores, which were not read."""
        self.baseline: Baseline | None = None
        self.fixes = Fixes.NAMES
        """The part of the fixes that an output shows."""

    def paths(self, paths: list[str]) -> Checked:
        """Check files, and what is found below folders."""
        targets = tree.find(paths)
        self.skipped.extend(targets.skipped)
        self.ignored = targets.ignored
        arguments = {os.path.abspath(path) for path in paths}
        for folder in filter(os.path.isdir, arguments):
            self.linter.leave_out_others(folder, (f for f in targets.files if f not in arguments))
        for path in targets.files:
            self.read(path, is_named=path in arguments)
        if not self.sources and not self.unreadable:
            # Nothing at all was checked, so the rest cannot count as clean.
            self.unreadable, self.skipped = self.skipped, []
        if not self.sources and not self.unreadable:
            for path in paths:
                reason = "holds no file that sandboxd checks"
                hint = "name a file, or start with `sandboxd init`"
                self.unreadable.append(Skipped(os.path.abspath(path), reason, hint))
        return self.check(self.sources.values())

    def listing(self, paths: list[str]) -> str:
        """A line for each file that would be checked, with its kind."""
        from sandboxd.render import relative_path

        targets = tree.find(paths)
        self.ignored = targets.ignored
        lines: list[str] = []
        named = {os.path.abspath(path) for path in paths}
        for path in targets.files:
            kind = _kind_on_disk(path)
            if kind is not None or path in named:
                name = kind.NAME if kind is not None else "-"
                lines.append(f"{relative_path(path, self.cwd)}\t{name}\n")
        return "".join(lines)

    def stdin(self, name: str) -> Checked:
        """Check what comes from standard input under the name of a file."""
        path = os.path.abspath(name)
        try:
            data = sys.stdin.buffer.read(formats.LARGEST + 1)
            self.take(path, data)
        except UnreadableError as error:
            self.unreadable.append(Skipped(path, error.message, error.hint))
        return self.check(self.sources.values())

    def read(self, path: str, is_named: bool = True) -> None:
        """Read a file. One that the user named (`is_named`) is an error where it is of no kind."""
        try:
            self.take(path, files.read_bytes(path, formats.LARGEST), is_named)
        except UnreadableError as error:
            where = self.unreadable if is_named else self.skipped
            where.append(Skipped(path, error.message, error.hint))

    def take(self, path: str, data: bytes, is_named: bool = True) -> None:
        source = self.linter.take(path, data)
        if source is None and not is_named:
            return
        if source is None:
            name = os.path.relpath(path, self.cwd)
            raise UnreadableError(
                "is no kind of file that sandboxd checks, by its name",
                f"`sandboxd check --stdin-filename devcontainer.json < {name}` checks it as one",
            )
        self.sources[path] = source
        self.raw[path] = data

    def check(self, sources: Iterable[SourceText]) -> Checked:
        """The combined report on some texts."""
        reports = [
            self.linter.check(source, fixes=self.fixes, threshold=self.threshold)
            for source in sources
        ]
        return self.checked(self.combine(reports), self._problems())

    def checked(self, report: Report, problems: Iterable[Skipped] = ()) -> Checked:
        """`report` with what could not be read until now."""
        return Checked(report, (*self.unreadable, *problems), tuple(self.skipped))

    def _problems(self) -> list[Skipped]:
        """Configs that are not applied, named in hints relative to the current folder."""
        return [
            problem._replace(
                hint=problem.hint.replace(problem.path, os.path.relpath(problem.path, self.cwd))
            )
            for problem in self.linter.problems
            if problem.path not in {skipped.path for skipped in self.unreadable}
        ]

    def combine(self, reports: Iterable[Report]) -> Report:
        report = combine(reports, self.threshold)
        if self.baseline is None:
            return report
        findings = self.baseline.apply(list(report.findings), self.policy())
        return report._replace(findings=tuple(findings))

    def policy(self) -> RuleSettings:
        """The rules that the user and the organisation let no project suppress.

        :raises UsageError: a policy is not clear: what it forbids to suppress is not known
        """
        return NO_SETTINGS._replace(enforced=self.linter.enforced())

    def fix(self, unsafe: bool) -> list[Fixed]:
        """Every text that was read, with its fixes applied; nothing is written."""
        results = [
            self.linter.fix(source, unsafe=unsafe, threshold=self.threshold)
            for source in self.sources.values()
        ]
        return [self.judge_again(result, results) for result in results]

    def judge_again(self, result: Fixed, results: list[Fixed]) -> Fixed:
        """`result` judged again after all files are fixed, for findings that stand in other files."""
        path = result.source.path
        if all(finding.place.path == path for finding in result.report.findings):
            return result
        fixed = Files(load=files.ReaderBeside())
        for other in results:
            fixed.put(other.source)
        linter = self.linter.with_files(fixed)
        return result._replace(report=linter.check(result.source, fixes=Fixes.VERIFIED))

    def write(self, results: list[Fixed]) -> list[Fixed]:
        """Write the files that changed; returns the results as they are on disk afterwards.

        Those that cannot be written are named as unreadable, and keep their findings.
        """
        written = []
        for result in results:
            path = result.source.path
            try:
                if result.applied:
                    self.write_file(result.source)
            except UnreadableError as error:
                self.unreadable.append(Skipped(path, error.message, error.hint))
                result = self.unfixed(path)
            except SandboxdError as error:
                reason = f"is not fixed: {error.message}"
                self.unreadable.append(Skipped(path, reason, error.hint))
                result = self.unfixed(path)
            written.append(result)
        return written

    def unfixed(self, path: str) -> Fixed:
        """The result of a file that is not fixed."""
        from sandboxd.lint.fixing import Fixed

        source = self.sources[path]
        return Fixed(source, (), self.linter.check(source, fixes=Fixes.VERIFIED))

    def write_file(self, source: SourceText) -> None:
        """Replace a file by `source`, its byte order mark and its mode kept.

        :raises SandboxdError: the file is a link, was changed since it was read, or the disk refuses
        """
        from sandboxd.observe import in_use

        path, before = source.path, self.raw[source.path]
        if os.path.islink(path):
            raise UnreadableError(
                "is a symbolic link, so it is not fixed", f"name `{os.path.realpath(path)}`"
            )
        if files.read_bytes(path, formats.LARGEST) != before:
            raise UnreadableError("was changed meanwhile, so it is not fixed", "run it again")
        mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
        in_use.write(path, mark + source.text.encode("utf-8"))


def _kind_on_disk(path: str) -> Kind | None:
    """The kind of a file by its name and its content; by its name alone where it cannot be read."""
    try:
        text = files.read_bytes(path, formats.LARGEST).decode("utf-8", "replace")
    except UnreadableError:
        return formats.find(path)
    return formats.find(path, text)
