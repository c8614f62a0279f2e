"""The output of `check` for the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd.findings import OTHERS, Severity
from sandboxd.render import relative_path
from sandboxd.screen import code_point, columns_of, cut, visible, wrap

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sandboxd.findings import Finding, Report, Skipped
    from sandboxd.render import Options
    from sandboxd.text import SourceText, Span


TAB = 4
_CUT = "..."


def excerpt(source: SourceText, span: Span, width: int) -> tuple[str, str]:
    """The line in which `span` begins, and a line of carets to put below it; each at most `width` columns wide.

    If the span covers several lines, it is underlined to the end of the first.
    """
    start = source.position(span.start)
    end = source.position(span.end)
    line = source.line_text(start.line)
    last = min(end.column if end.line == start.line else len(line), len(line))
    first = min(start.column, len(line))
    # Only the visible part is measured: a line may be a megabyte long.
    from_, to = max(0, first - width), min(len(line), first + 2 * width)
    cells, starts = _cells(line[from_:to])
    left = starts[first - from_]
    right = max(starts[min(last, to) - from_], left + 1)
    if starts[-1] > width or from_ > 0 or to < len(line):
        text, left, right = _cut(cells, starts, left, right, width, from_ > 0, to < len(line))
    else:
        text = "".join(cells)
    return text.rstrip(), " " * left + "^" * (right - left)


def _cells(line: str) -> tuple[list[str], list[int]]:
    """The text that each character is shown as, and the column it begins at, with one more at the end."""
    if line.isascii() and line.isprintable():
        return list(line), list(range(len(line) + 1))
    cells: list[str] = []
    starts: list[int] = []
    at = 0
    for char in line:
        starts.append(at)
        if char == "\t":
            cell = " " * (TAB - at % TAB)
        elif char.isprintable() or columns_of(char) == 0:
            cell = char
        else:
            # Characters that change the direction of text could make a file look different.
            cell = code_point(char)
        cells.append(cell)
        at += columns_of(cell)
    starts.append(at)
    return cells, starts


def _cut(
    cells: list[str],
    starts: list[int],
    left: int,
    right: int,
    width: int,
    more_before: bool,
    more_behind: bool,
) -> tuple[str, int, int]:
    """A window of a long line around its mark, with dots where it goes on."""
    room = max(width - 2 * len(_CUT), 8)
    first = max(0, left - max(0, (room - min(right - left, room)) // 2))
    visible = [
        (cell, start)
        for cell, start in zip(cells, starts, strict=False)
        if first <= start and start + columns_of(cell) <= first + room
    ]
    offset = visible[0][1] if visible else first
    head = _CUT if offset > 0 or more_before else ""
    tail = _CUT if first + room < starts[-1] or more_behind else ""
    shift = len(head) - offset
    text = head + "".join(cell for cell, _ in visible) + tail
    return text, left + shift, max(min(right + shift, len(head) + room), left + shift + 1)


_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.HINT: "34"}
# A message may quote a value of the file, which may be as long as the file.
_LONGEST = 400
_FEW_FILES, _MOST_FILES = 3, 20
_LEVELS = (Severity.ERROR, Severity.WARNING, Severity.HINT)
_BOLD, _DIM, _GREEN = "1", "2", "32"


def document(report: Report, options: Options) -> str:
    """Findings by file with the text they are about, what was not checked, and a summary.

    '' if no file was read, as the reasons are on stderr.
    """
    return _Text(report, options).run() + "\n" if report.files or report.skipped else ""


class _Text:
    def __init__(self, report: Report, options: Options) -> None:
        self.report = report
        self.options = options
        self.width = max(options.width, 40)

    def run(self) -> str:
        counted = [finding for finding in self.report.findings if not finding.suppressed]
        by_file: dict[str, list[Finding]] = {}
        for finding in counted:
            by_file.setdefault(finding.place.path, []).append(finding)
        blocks: list[str] = []
        for path, findings in by_file.items():
            if len(by_file) > 1:
                blocks.append(
                    self.paint(f"{_visible(relative_path(path, self.options.cwd))}:", _BOLD)
                )
            blocks.extend(self.file(path, findings))
        if self.report.skipped:
            blocks.append("\n".join(self.unchecked()))
        if len(by_file) > _FEW_FILES:
            blocks.append("\n".join(self.by_file(by_file)))
        blocks.append(self.summary(counted))
        return "\n\n".join(blocks)

    def paint(self, text: str, *codes: str) -> str:
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.options.colour else text

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
        path = _visible(relative_path(source.path, self.options.cwd))
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
            where = relative_path(related.place.path, self.options.cwd)
            if source is not None:
                at = source.position(related.place.span.start)
                where = f"{where}:{at.line + 1}:{at.column + 1}"
            yield "see", _visible(f"{where}: {related.message}")
        if finding.origin and not finding.origin.startswith("`"):
            yield "from", _visible(finding.origin)
        for fix in finding.fixes:
            caution = "" if fix.safe or not fix.caution else f"; then {fix.caution}"
            yield "fix", _visible(fix.title + caution)

    def unchecked(self) -> list[str]:
        """Lines about what was not checked: one part in full; several counted, unless they are asked for."""
        parts = self.report.skipped
        if len(parts) == 1 or self.options.lists_unchecked:
            return [self.skipped(skipped) for skipped in parts]
        files = len({skipped.path for skipped in parts})
        label = self.paint("not checked:", "36", _BOLD)
        count = f"{len(parts)} parts of {_count(files, 'file')}"
        return [f"{label} {count}: `sandboxd check --list-unchecked{self.options.again}`"]

    def by_file(self, by_file: Mapping[str, Collection[Finding]]) -> Iterable[str]:
        """Lines with the numbers of each severity, the files with the worst findings first."""
        rows = []
        for path, findings in by_file.items():
            numbers = [sum(f.severity == level for f in findings) for level in _LEVELS]
            rows.append((numbers, _visible(relative_path(path, self.options.cwd))))
        rows.sort(key=lambda row: ([-number for number in row[0]], row[1]))
        for numbers, name in rows[:_MOST_FILES]:
            parts = zip(_LEVELS, numbers, strict=True)
            texts = [_count(number, level.label) for level, number in parts if number]
            yield cut(f"{', '.join(texts):<24}  {name}", self.width)
        if len(rows) > _MOST_FILES:
            yield f"and {_count(len(rows) - _MOST_FILES, 'more file')}"

    def skipped(self, skipped: Skipped) -> str:
        label = self.paint("not checked:", "36", _BOLD)
        path = _visible(relative_path(skipped.path, self.options.cwd))
        text = f"{label} {path}: {_visible(skipped.reason)}"
        return f"{text}\n  {self.paint('hint:', _BOLD)} {skipped.hint}" if skipped.hint else text

    def nothing(self, where: str) -> str:
        """The line that nothing was found, limited to what was looked for."""
        if self.options.least is Severity.HINT:
            return self.paint(f"no findings in {where}", _BOLD)
        none = "no error" if self.options.least is Severity.ERROR else "no error or warning"
        head = self.paint(f"{none} in {where}", _BOLD)
        return f"{head}; hints: `sandboxd check --pedantic{self.options.again}`"

    def summary(self, counted: list[Finding]) -> str:
        files = _count(self.report.files, "file")
        suppressed = len(self.report.findings) - len(counted)
        others = sum(
            f.suppressed is not None and f.suppressed.by == OTHERS for f in self.report.findings
        )
        allowed = suppressed - others
        parts = [f"{allowed} allowed with a reason"] if allowed else []
        parts += [f"{others} in files of others"] if others else []
        how = f"`--no-allow` shows {'it' if suppressed == 1 else 'them'}"
        tail = f" ({', '.join(parts)}: {how})" if parts else ""
        if not counted:
            return self.nothing(f"{files}{tail}")
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
                f"{self.paint('hint:', _BOLD)} `sandboxd check {flags} --diff{self.options.again}` {does}"
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
