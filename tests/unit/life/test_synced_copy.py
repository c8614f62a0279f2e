"""What of a copy in memory is kept at the end of its container, and what is named."""

from __future__ import annotations

from pathlib import Path

from sandboxd.life.synced_copy import keep_what_stays
from sandboxd.sync import last_state
from sandboxd.sync.state import Kind
from tests.unit.sync.pair import Folders


def end(both: Folders) -> tuple[dict[str, str], list[str]]:
    """The files and links that are kept, with their kind and content, and what a person is told."""
    pair, said = both.pair()._replace(retentions=(both.retention,)), list[str]()
    keep_what_stays(pair, pair.compare(), "/kept", said.append)
    kept = {
        record.path: f"{(record.kind is Kind.LINK and '-> ') or ''}{Path(both.retention.file(record)).read_text()}"
        for record in both.retention.records()
    }
    return kept, said


def test_links_and_all_of_a_folder_that_stays_are_kept(tmp_path: Path) -> None:
    both = Folders(tmp_path)
    (both.host / "tool").write_text("a file of the host")
    (both.host / "same").write_text("s")
    both.keep()
    (both.inside / "tool").unlink()
    (both.inside / "tool/deep").mkdir(parents=True)
    (both.inside / "tool/deep/work").write_text("w")
    (both.inside / "tool/.envrc").write_text("e")
    (both.inside / ".envrc").symlink_to("same")
    kept, said = end(both)
    assert kept == {".envrc": "-> same", "tool/.envrc": "e", "tool/deep/work": "w"}
    assert said == [
        "changed inside and not in your folder: `.envrc`, `tool/.envrc`, `tool/deep/work`; kept for 7 days in /kept"
    ]


def test_a_repository_that_was_made_inside_is_named(tmp_path: Path) -> None:
    both = Folders(tmp_path)
    for path in (".git", "nested/.git"):
        (both.inside / path).mkdir(parents=True)
    kept, said = end(both)
    assert kept == {}
    assert len(said) == 1
    assert said[0].endswith("gone with the sandbox: `nested/.git`")
    state = last_state.of_report("c", both.pair().compare())
    ((path, why),) = state.only_inside.paths
    assert path == "nested/.git"
    assert "commits stay" in why
