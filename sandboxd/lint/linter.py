"""Checks and fixes texts and folders with the settings, the policy and the other files that apply to them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandboxd import files, formats, rules
from sandboxd.errors import UnreadableError, too_large
from sandboxd.findings import Report, Severity, Skipped
from sandboxd.formats.resolved.variables import Variables
from sandboxd.lint import analysis
from sandboxd.lint.analysis import Fixes
from sandboxd.lint.other_files import unique
from sandboxd.lint.settings import NOTHING_DECIDED, read_settings
from sandboxd.model.files import Files
from sandboxd.policy import floor
from sandboxd.text import SourceText

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.lint.fixing import Fixed
    from sandboxd.lint.settings import Decided, RuleSettings
    from sandboxd.model.document import Document


class Linter:
    """Checks and fixes files for one environment and one host; a change of either needs a new object.

    :param files_at_hand: texts that replace files on disk, and the function that reads files to which a text refers;
        None for the disk alone
    :param is_here: whether the texts are of this machine, so that its environment applies to them
    :param needs_policy: whether an unreadable policy raises an error; else every rule is enforced then
    :param no_allow: the option that keeps projects from suppressing findings of any rule, for people; '' for none
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        host: HostFacts,
        files_at_hand: Files | None = None,
        *,
        is_here: bool = True,
        needs_policy: bool = False,
        no_allow: str = "",
    ) -> None:
        self.files = Files(load=files.ReaderBeside()) if files_at_hand is None else files_at_hand
        self.host = host
        self.variables = _variables(environ, self.files, host, is_here)
        self._environ = environ
        self._is_here = is_here
        self._needs_policy = needs_policy
        self._no_allow = no_allow
        self._decided: dict[str, Decided] = {}
        self._enforced: Mapping[str, str] | None = None
        self._others: frozenset[str] = frozenset()

    @property
    def problems(self) -> tuple[Skipped, ...]:
        """The configs that should be applied and cannot be, in the order in which they were found."""
        problems = (entry.problem for entry in self._decided.values())
        return tuple(dict.fromkeys(problem for problem in problems if problem is not None))

    def with_files(self, files_at_hand: Files) -> Linter:
        """A linter with the same settings and policy, but `files_at_hand` in place of this one's."""
        linter = Linter(
            self._environ,
            self.host,
            files_at_hand,
            is_here=self._is_here,
            needs_policy=self._needs_policy,
            no_allow=self._no_allow,
        )
        linter._decided, linter._enforced = self._decided, self._enforced
        linter._others = self._others
        return linter

    def settings(self, path: str) -> RuleSettings:
        """The severities and suppressions of the rules for the file at `path`.

        :raises UsageError: a policy cannot be read, and `needs_policy` is set
        """
        settings = self._of_folder(os.path.dirname(path)).settings
        if path in self._others:
            settings = settings._replace(of_others=True)
        enforced = self.enforced()
        return settings._replace(enforced=enforced) if enforced else settings

    def leave_out_others(self, root: str, paths: Iterable[str]) -> None:
        """Suppress the findings in those of `paths` that are somebody else's, as found below the folder `root`."""
        # Late: a check of named files has no use for it.
        from sandboxd.lint import others

        decided = self._of_folder(root)
        config = decided.config
        base = os.path.dirname(config.source.path) if config is not None else root
        self._others |= others.among(paths, root, base, decided.settings.others)

    def problem(self, path: str) -> Skipped | None:
        """Why the config for the file at `path` is not applied; None where it is, or there is none."""
        return self._of_folder(os.path.dirname(path)).problem

    def enforced(self) -> Mapping[str, str]:
        """The rules whose findings no project may suppress, each with the policy file or option that says so."""
        if self._enforced is None:
            if self._needs_policy:
                enforced = floor.load(self._environ, rule_ids=rules.ids()).enforced
            else:
                enforced = floor.enforced(self._environ, rules.ids())
            by_option = dict.fromkeys(rules.ids(), self._no_allow) if self._no_allow else {}
            self._enforced = {**by_option, **enforced}
        return self._enforced

    def check(
        self,
        source: SourceText,
        *,
        kind: str = "",
        parsed: Document | None = None,
        fixes: Fixes = Fixes.EDITS,
        threshold: Severity = Severity.HINT,
    ) -> Report:
        """The report on one text; parameters as in `analysis.check_source`."""
        return analysis.check_source(
            source,
            host=self.host,
            variables=self.variables,
            settings=self.settings(source.path),
            kind=kind,
            parsed=parsed,
            fixes=fixes,
            threshold=threshold,
        )

    def fix(
        self,
        source: SourceText,
        *,
        unsafe: bool,
        threshold: Severity,
        kind: str = "",
        parsed: Document | None = None,
    ) -> Fixed:
        """One text with its fixes applied; parameters as in `fixing.fix_source`."""
        # Late: most checks fix nothing.
        from sandboxd.lint.fixing import fix_source

        return fix_source(
            source,
            unsafe=unsafe,
            threshold=threshold,
            host=self.host,
            variables=self.variables,
            settings=self.settings(source.path),
            kind=kind,
            parsed=parsed,
        )

    def check_tree(self, folder: str, most_entries: int) -> Report:
        """One report on all files that `sandboxd check` would find in a folder.

        What could not be read, searched or applied is in its `skipped`.

        :param most_entries: the number of directory entries after which the search ends
        """
        from sandboxd.lint import tree

        targets = tree.find([folder], most_entries)
        self.leave_out_others(os.path.abspath(folder), targets.files)
        skipped = list(targets.skipped)
        sources: list[SourceText] = []
        for path in targets.files:
            try:
                source = self.read(path)
            except UnreadableError as error:
                skipped.append(Skipped(path, error.message, error.hint))
                continue
            if source is not None:
                sources.append(source)
        report = combine(self.check(source, fixes=Fixes.NAMES) for source in sources)
        return report._replace(skipped=(*report.skipped, *skipped, *self.problems))

    def read(self, path: str) -> SourceText | None:
        """Read a file, so that files which refer to it are checked with this text; None where it is no kind that is
        checked.

        :raises UnreadableError: it cannot be read, or is too large for its kind
        """
        return self.take(path, files.read_bytes(path, formats.LARGEST))

    def take(self, path: str, data: bytes) -> SourceText | None:
        """As `read`, for a file whose content `data` was read already.

        :raises UnreadableError: `data` is no text, or too large for its kind
        """
        text = files.decode(data)
        kind = formats.find(path, text)
        if kind is None:
            return None
        limit = kind.LARGEST
        if len(data) > limit:
            raise UnreadableError(*too_large(limit))
        source = SourceText(path, text)
        self.files.put(source)
        return source

    def _of_folder(self, folder: str) -> Decided:
        if folder not in self._decided:
            here = self._is_here and folder.startswith("/")
            of_folder = read_settings(folder) if here else NOTHING_DECIDED
            if of_folder.config is not None:
                formats.keep(of_folder.config, self.files)
            self._decided[folder] = of_folder
        return self._decided[folder]


def combine(reports: Iterable[Report], threshold: Severity = Severity.HINT) -> Report:
    """One report of several, each finding once; findings below `threshold` are left out."""
    findings: list[Finding] = []
    skipped: list[Skipped] = []
    sources: dict[str, SourceText] = {}
    total = 0
    for report in reports:
        findings += [f for f in report.findings if f.severity >= threshold]
        skipped += report.skipped
        sources.update(report.sources)
        total += report.files
    return Report(tuple(unique(findings)), tuple(dict.fromkeys(skipped)), total, sources)


def _variables(
    environ: Mapping[str, str], files_at_hand: Files, host: HostFacts, is_here: bool
) -> Variables:
    """Variables that hold around a text; for a text of another machine nothing but the texts at hand.

    What the engine says of labels of images holds for any text.
    """
    variables = (
        Variables.here(environ, files_at_hand) if is_here else Variables(files=files_at_hand)
    )
    if host.engine is None or not host.engine.image_labels:
        return variables
    # Late: few engines have an image with such a label.
    from sandboxd.plan.label import image_labels

    return variables._replace(images=image_labels(host))
