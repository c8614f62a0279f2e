"""Who waits for a comparison finds its result where it is shown."""

from __future__ import annotations

import threading
from pathlib import Path

from sandboxd.sync.engine import Ask, Note, Say, Show
from sandboxd.sync.session import Session
from tests.patience import PATIENCE
from tests.unit.sync.pair import Folders


def test_who_waited_finds_the_result_where_it_is_shown(tmp_path: Path) -> None:
    """`review` reads what was written of it: it must not say that both are the same while removals wait."""
    folders = Folders(tmp_path)
    for number in range(30):
        (folders.host / f"f{number}").write_text("x")
    shown: list[Show] = []
    is_slow = threading.Event()

    def show(notice: Ask | Say | Note | Show) -> None:
        if isinstance(notice, Show):
            if shown:
                is_slow.wait(0.2)
            shown.append(notice)

    session = Session(folders.pair(), show)
    thread = threading.Thread(target=session.run)
    thread.start()
    try:
        assert session.settle(PATIENCE) is not None
        for path in folders.inside.iterdir():
            path.unlink()
        report = session.settle(PATIENCE)
        assert report is not None and report.last.stop is not None
        assert shown[-1].report.last.stop == report.last.stop
    finally:
        session.end()
        thread.join()
