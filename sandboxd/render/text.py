"""The output of `check` for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import Severity
from sandboxd.render import relative_path
from sandboxd.render._excerpt import excerpt
from sandboxd.screen import visible, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandboxd.findings import Finding, Report, Skipped
    from sandboxd.render import Options
    from sandboxd.text import SourceText

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.HINT: "34"}
# A message may quote a value of the file, which may be as long as the file.
_LONGEST = 400
_BOLD, _DIM, _GREEN = "1", "2", "32"


def document(report: Report, options: Options) -> str:
    """The report; '' where no file was read, since stderr has the reasons."""
    if not report.files:
        return ""
    text = render(
        report,
        colour=options.colour,
        width=options.width,
        cwd=options.cwd,
        again=options.again,
    )
    return text + "\n"


def render(report: Report, *, colour: bool, width: int, cwd: str = "", again: str = "") -> str:
    """Findings by file with the text they are about, what was not checked, and a summary."""
    return _Text(report, colour, max(width, 40), cwd, again).run()


class _Text:
    def __init__(self, report: Report, colour: bool, width: int, cwd: str, again: str) -> None:
        self.report = report
        self.colour = colour
        self.width = width
        self.cwd = cwd
        self.again = again

    def run(self) -> str:
        counted = [finding for finding in self.report.findings if not finding.suppressed]
        by_file: dict[str, list[Finding]] = {}
        for finding in counted:
            by_file.setdefault(finding.place.path, []).append(finding)
        blocks: list[str] = []
        for path, findings in by_file.items():
            if len(by_file) > 1:
                blocks.append(self.paint(f"{_visible(relative_path(path, self.cwd))}:", _BOLD))
            blocks.extend(self.file(path, findings))
        if self.report.skipped:
            blocks.append("\n".join(self.skipped(skipped) for skipped in self.report.skipped))
        blocks.append(self.summary(counted))
        return "\n\n".join(blocks)

    def paint(self, text: str, *codes: str) -> str:
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.colour else text

    def file(self, path: str, findings: list[Finding]) -> list[str]:
        source = self.report.sources.get(path)
        if source is None:
            return [self.head(finding) for finding in findings]
        last = source.position(findings[-1].place.span.start).line + 1
        return [self.finding(finding, source, len(str(last))) for finding in findings]

    def head(self, finding: Finding) -> str:
        severity = self.paint(finding.severity.label, _COLOURS[finding.severity], _BOLD)
        return f"{severity}[{finding.rule}]: {self.paint(_visible(finding.message), _BOLD)}"

    def finding(self, finding: Finding, source: SourceText, digits: int) -> str:
        path = _visible(relative_path(source.path, self.cwd))
        at = source.position(finding.place.span.start)
        margin = " " * digits
        bar = self.paint("|", _DIM)
        text, carets = excerpt(source, finding.place.span, self.width - digits - 3)
        lines = [
            self.head(finding),
            f"{margin}{self.paint('-->', _DIM)} {path}:{at.line + 1}:{at.column + 1}",
            f"{margin} {bar}",
            f"{self.paint(f'{at.line + 1:>{digits}}', _DIM)} {bar} {text}",
            f"{margin} {bar} {self.paint(carets, _COLOURS[finding.severity], _BOLD)}",
        ]
        for label, note in self.notes(finding):
            colours = (_BOLD, _GREEN) if label == "fix" else (_BOLD,)
            head = f"{margin} {self.paint('=', _DIM)} {self.paint(f'{label}:', *colours)} "
            indent = digits + len(label) + 5
            lines.append(head + f"\n{' ' * indent}".join(wrap(note, self.width - indent)))
        return "\n".join(lines)

    def notes(self, finding: Finding) -> Iterable[tuple[str, str]]:
        if finding.why:
            yield "why", finding.why
        for related in finding.related:
            source = self.report.sources.get(related.place.path)
            where = relative_path(related.place.path, self.cwd)
            if source is not None:
                at = source.position(related.place.span.start)
                where = f"{where}:{at.line + 1}:{at.column + 1}"
            yield "see", _visible(f"{where}: {related.message}")
        if finding.origin and not finding.origin.startswith("`"):
            yield "from", _visible(finding.origin)
        for fix in finding.fixes:
            caution = "" if fix.safe or not fix.caution else f"; then {fix.caution}"
            yield "fix", _visible(fix.title + caution)

    def skipped(self, skipped: Skipped) -> str:
        label = self.paint("not checked:", "36", _BOLD)
        path = _visible(relative_path(skipped.path, self.cwd))
        text = f"{label} {path}: {_visible(skipped.reason)}"
        return f"{text}\n  {self.paint('hint:', _BOLD)} {skipped.hint}" if skipped.hint else text

    def summary(self, counted: list[Finding]) -> str:
        files = _count(self.report.files, "file")
        allowed = len(self.report.findings) - len(counted)
        tail = f" ({allowed} allowed with a reason)" if allowed else ""
        if not counted:
            return self.paint(f"no findings in {files}{tail}", _BOLD)
        parts = []
        for severity in sorted(_COLOURS, reverse=True):
            number = sum(finding.severity == severity for finding in counted)
            if number:
                parts.append(self.paint(_count(number, severity.label), _COLOURS[severity], _BOLD))
        lines = [f"{', '.join(parts)} in {files}{tail}"]
        fixes = [finding.fixes[0] for finding in counted if finding.fixes]
        if fixes:
            flags = "--fix" if all(fix.safe for fix in fixes) else "--fix --unsafe"
            does = f"shows {_count(len(fixes), 'fix', 'fixes')} as a diff"
            lines.append(
                f"{self.paint('hint:', _BOLD)} `sandboxd check {flags} --diff{self.again}` {does}"
            )
        rule = min(counted, key=lambda finding: -finding.severity).rule
        lines.append(f"{self.paint('hint:', _BOLD)} `sandboxd explain {rule}` tells more about it")
        return "\n".join(lines)


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _visible(text: str) -> str:
    """Text of a file or a name on one line, without characters that drive a terminal."""
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "..."
    return visible(text)
