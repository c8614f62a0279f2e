"""Pages made from the code say what the code says."""

from __future__ import annotations

from pathlib import Path

from sandboxd import rules
from tools import docs

FOLDER = str(Path(docs.ROOT) / "docs")


def test_pages_are_fresh() -> None:
    assert docs.stale(docs.pages(), FOLDER) == [], "run `./dev docs`"


def test_every_argument_is_explained() -> None:
    assert [
        line for line in docs.pages()["commands.md"].splitlines() if line.endswith(": None")
    ] == []


def test_every_rule_has_a_page_and_a_row() -> None:
    pages = docs.pages()
    for name in rules.ids():
        assert f"rules/{name}.md" in pages
        assert f"[{name}]({name}.md)" in pages["rules/README.md"]


def test_a_stale_missing_or_forsaken_page_is_found(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "gone.md").write_text("a rule that is no more")
    (tmp_path / "rules" / "a.md").write_text("old")
    (tmp_path / "rules" / "b.md").write_text("same")
    pages = {"rules/a.md": "new", "rules/b.md": "same", "rules/c.md": "missing"}
    assert docs.stale(pages, str(tmp_path)) == ["rules/a.md", "rules/c.md", "rules/gone.md"]


def test_every_relative_link_in_the_docs_leads_somewhere() -> None:
    import re

    root = Path(docs.ROOT)
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md")]
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(root)}: {target}")
    assert broken == []
