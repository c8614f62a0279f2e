"""Literate pages: cases of one rule, each an input and what the rule says about it.

A case is a `##` heading that begins with `weak`, `fine` or `unusual` (hardened, but written in a
way that a careless check would flag), the block with the text of a file, and then blocks that
`--update` writes: `findings`, and `fixed` when a fix changed the text. Optional blocks before those: `host`
(HostFacts as JSON), `variables` (fields of Variables as JSON, and
`links`: what symbolic links lead to), and `files`: other files of the project, each below a line
`== its/path`. Below the title, or below the heading of a case, a line
`File: seccomp.json` names the file within the project where the language of its block does not say
it; a line `With: a, b` below the title names rules that run along. Where a rule has more cases than a
file holds, `RULE.PART.md` has the others.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from sandboxd.findings import Place, Report, Severity
from sandboxd.formats.resolved.variables import Variables
from sandboxd.host.facts import UNKNOWN, Component, Engine, HostFacts, Runtime
from sandboxd.lint.analysis import check_source
from sandboxd.lint.fixing import fix_source
from sandboxd.model.files import Files
from sandboxd.model.image_facts import ImageFacts
from sandboxd.text import SourceText

FOLDER = Path(__file__).parent
PATHS = {
    "json": "/project/.devcontainer/devcontainer.json",
    "toml": "/project/sandboxd.toml",
    "yaml": "/project/docker-compose.yml",
    "dockerfile": "/project/Dockerfile",
}
_OTHER_BLOCKS = ("host", "variables", "files", "findings", "fixed")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


class Case(NamedTuple):
    """One section of a page; `expected` and `fixed` are the blocks as they stand in the file."""

    page: Path
    rule: str
    kind: str
    title: str
    source: SourceText
    host: HostFacts
    variables: Variables
    along: tuple[str, ...]
    expected: str
    fixed: str

    @property
    def name(self) -> str:
        """The rule and the title of the section."""
        return f"{self.rule}: {self.title}"

    def report(self) -> Report:
        return check_source(
            self.source, host=self.host, variables=self.variables, only=(self.rule, *self.along)
        )

    def fix(self) -> SourceText:
        return fix_source(
            self.source,
            unsafe=True,
            threshold=Severity.HINT,
            host=self.host,
            variables=self.variables,
            only=(self.rule,),
        ).source


def pages() -> list[Path]:
    return sorted(FOLDER.glob("*.md"))


def cases(page: Path) -> list[Case]:
    head, *sections = _sections(page.read_text(encoding="utf-8"))
    along = _line("With", head)
    names = tuple(along.split(", ")) if along else ()
    return [_case(page, section, names, _line("File", head)) for section in sections]


def updated(page: Path) -> str:
    """The page with the blocks that its cases yield now."""
    blocks = []
    for case in cases(page):
        fixed = case.fix().text
        blocks.append((outcome(case), fixed if fixed != case.source.text else ""))
    return _written(page, blocks)


def laid_out(page: Path) -> str:
    """The page with the blocks that it has, as `updated` lays them out."""
    return _written(page, [(case.expected, case.fixed) for case in cases(page)])


def _written(page: Path, blocks: list[tuple[str, str]]) -> str:
    head, *sections = _sections(page.read_text(encoding="utf-8"))
    parts = [head]
    for section, (findings, fixed) in zip(sections, blocks, strict=True):
        prose = re.sub(r"\n+```(?:findings|fixed)\n(?:.*\n)*?```\n", "\n", section).rstrip("\n")
        parts.append(f"{prose}\n\n```findings\n{findings}```\n")
        parts.append(f"\n```fixed\n{fixed}```\n" if fixed else "")
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def outcome(case: Case) -> str:
    """The findings of a case, a line for each and for each of its parts."""
    report = case.report()
    lines: list[str] = []
    for finding in report.findings:
        if finding.rule != case.rule:
            continue
        place = _range(report, case, finding.place)
        lines.append(f"{finding.severity.label} {place} {finding.rule}: {finding.message}")
        lines.append(f"  evidence: {finding.evidence}")
        for related in finding.related:
            lines.append(f"  see: {_range(report, case, related.place)} {related.message}")
        for fix in finding.fixes:
            lines.append(f"  fix: {fix.title} ({'safe' if fix.safe else f'then {fix.caution}'})")
        if finding.suppressed:
            lines.append(f"  allowed: {finding.suppressed.reason}")
    return "".join(f"{line}\n" for line in lines) or "none\n"


def _sections(text: str) -> list[str]:
    return re.split(r"^(?=## )", text, flags=re.MULTILINE)


def _line(name: str, text: str) -> str:
    """The rest of a line `Name: ...`, '' when there is none."""
    match = re.search(rf"^{name}: (.*)$", text.split("```", 1)[0], re.MULTILINE)
    return match[1] if match else ""


def _case(page: Path, section: str, along: tuple[str, ...], file: str) -> Case:
    title = section.split("\n", 1)[0].removeprefix("## ")
    blocks = dict(_BLOCK.findall(section))
    language = next(name for name in blocks if name not in _OTHER_BLOCKS)
    file = _line("File", section) or file
    return Case(
        page,
        page.stem.partition(".")[0].replace("_", "-"),
        title.split(":")[0],
        title,
        SourceText(f"/project/{file}" if file else PATHS[language], blocks[language]),
        host(json.loads(blocks["host"])) if "host" in blocks else UNKNOWN,
        variables(json.loads(blocks.get("variables", "{}")), blocks.get("files", "")),
        along,
        blocks.get("findings", ""),
        blocks.get("fixed", ""),
    )


def variables(data: dict[str, Any], files: str) -> Variables:
    """`links` are the symbolic links that the disk has, each with what it leads to."""
    images = {name: ImageFacts(**facts) for name, facts in data.pop("images", {}).items()}
    links: dict[str, str] = data.pop("links", {})
    realpath = (lambda path: links.get(path, path)) if links else None
    return Variables(**data, files=_files(files), realpath=realpath, images=images or None)


def _files(text: str) -> Files:
    parts = re.split(r"^== (.*)\n", text, flags=re.MULTILINE)[1:]
    texts = dict(zip(parts[::2], parts[1::2], strict=True))
    paths = {f"/project/{name}": text for name, text in texts.items()}
    return Files({path: SourceText(path, text) for path, text in paths.items()})


def host(data: dict[str, Any]) -> HostFacts:
    engine = data.pop("engine", None)
    if engine is None:
        return HostFacts(**data)
    runtimes = tuple(
        Runtime(**{**runtime, "args": tuple(runtime.get("args", ()))})
        for runtime in engine.pop("runtimes", ())
    )
    components = tuple(Component(**component) for component in engine.pop("components", ()))
    return HostFacts(**data, engine=Engine(**engine, runtimes=runtimes, components=components))


def _range(report: Report, case: Case, place: Place) -> str:
    source = report.sources[place.path]
    start, end = source.position(place.span.start), source.position(place.span.end)
    name = "" if place.path == case.source.path else place.path.removeprefix("/project/") + ":"
    return f"{name}{start.line + 1}:{start.column + 1}-{end.line + 1}:{end.column + 1}"
