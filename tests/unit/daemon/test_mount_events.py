from __future__ import annotations

import errno
import sys
import threading
from collections.abc import Callable, Collection
from pathlib import Path

import inotify_simple
import pytest

from sandboxd.daemon import mount_events
from sandboxd.daemon.mount_events import MountEvents, folders_of
from tests.patience import PATIENCE

Make = Callable[[list[str]], MountEvents]
KINDS = [pytest.param(mount_events._Steps, id="watchfiles")]
if sys.platform == "linux":
    KINDS.append(pytest.param(mount_events._Inotify, id="inotify"))


def _looks(
    paths: list[str], files: Collection[str] = (), folders: Collection[str] = ()
) -> MountEvents:
    return mount_events._Looks("a test says so", {*paths, *files}, folders)


KINDS.append(pytest.param(_looks, id="looks"))


@pytest.fixture(autouse=True)
def _only_what_happens_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mount_events, "_POLL_SECONDS", 10 * PATIENCE)


def test_the_folder_above_each_path_is_watched_for_its_name_and_the_rest_for_staying() -> None:
    names, above = folders_of(["/a/w", "/a/w/x", "/a/w/y"])
    assert names == {"/a": {"w"}, "/a/w": {"x", "y"}}
    assert above == {"/"}


def wakes(events: MountEvents, act: Callable[[], object]) -> bool:
    """Whether `act` woke who waits."""
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(events.wait()))
    thread.start()
    act()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    return answers[0]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "above/app/.vscode").mkdir(parents=True)
    (tmp_path / "above/app/.envrc").write_text("host")
    return tmp_path / "above/app"


ACTS: dict[str, Callable[[Path], object]] = {
    "replaced": lambda app: ((app / "new").write_text("x"), (app / "new").rename(app / ".envrc")),
    "renamed": lambda app: (app / ".envrc").rename(app / "other"),
    "removed": lambda app: (app / ".envrc").unlink(),
    "folder": lambda app: (app / ".vscode").rmdir(),
    "workspace": lambda app: app.rename(app.with_name("moved")),
    "above": lambda app: app.parent.rename(app.parent.with_name("elsewhere")),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("make", KINDS)
def test_what_puts_something_else_at_a_path_wakes(
    make: Make, workspace: Path, act: Callable[[Path], object]
) -> None:
    paths = [workspace, workspace / ".envrc", workspace / ".vscode"]
    events = make([str(path) for path in paths])
    try:
        assert wakes(events, lambda: act(workspace))
    finally:
        events.end()
        events.close()


@pytest.mark.parametrize("make", KINDS[1:])
def test_a_second_name_of_a_file_wakes(make: Make, workspace: Path) -> None:
    """By it a program inside could write the file."""
    events = make([str(workspace / ".envrc")])
    try:
        assert wakes(events, lambda: (workspace / "second").hardlink_to(workspace / ".envrc"))
    finally:
        events.end()
        events.close()


@pytest.mark.parametrize("make", KINDS[1:])
def test_a_second_name_of_a_file_whose_content_counts_wakes(
    make: Callable[[list[str], list[str]], MountEvents], workspace: Path
) -> None:
    (workspace / "config").touch()
    events = make([], [str(workspace / "config")])
    try:
        assert wakes(events, lambda: (workspace / "second").hardlink_to(workspace / "config"))
    finally:
        events.end()
        events.close()


@pytest.mark.parametrize("is_replaced", [True, False])
@pytest.mark.parametrize("make", KINDS)
def test_a_file_whose_content_counts_wakes_when_it_is_made_or_written(
    make: Callable[[list[str], list[str]], MountEvents], workspace: Path, is_replaced: bool
) -> None:
    (workspace / ".git").mkdir()
    index = workspace / ".git/index"
    events = make([str(workspace / ".envrc")], [str(index)])

    def act() -> None:
        (workspace / ".git/HEAD").write_text("another")
        if is_replaced:
            (workspace / ".git/index.lock").write_text("x")
            (workspace / ".git/index.lock").rename(index)
        else:
            index.write_text("x")

    try:
        assert wakes(events, act)
    finally:
        events.end()
        events.close()


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("make", KINDS)
def test_a_folder_in_which_each_new_name_counts_wakes_when_it_comes_and_when_one_is_in_it(
    make: Callable[[list[str], list[str], list[str]], MountEvents], workspace: Path, exists: bool
) -> None:
    folder = workspace / ".git/worktrees"
    (folder if exists else folder.parent).mkdir(parents=True)
    events = make([str(workspace / ".envrc")], [], [str(folder)])
    try:
        assert wakes(events, (folder / "two").mkdir if exists else folder.mkdir)
    finally:
        events.end()
        events.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems watch by steps")
@pytest.mark.parametrize("act", ["folder", "file", "link"])
def test_what_is_expected_wakes_when_it_comes(workspace: Path, act: str) -> None:
    events = mount_events.open_events(
        [str(workspace / ".envrc")], coming=[str(workspace / "tools")]
    )
    acts: dict[str, Callable[[], object]] = {
        "folder": (workspace / "tools").mkdir,
        "file": (workspace / "tools").touch,
        "link": lambda: (workspace / "tools").symlink_to("elsewhere"),
    }
    try:
        assert wakes(events, acts[act])
    finally:
        events.end()
        events.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems watch by steps")
def test_a_link_to_a_watched_folder_takes_no_name_from_it(workspace: Path) -> None:
    """A program inside can make one on the way to what is expected."""
    (workspace / "tools").symlink_to(".")
    events = mount_events.open_events(
        [str(workspace / ".envrc")], coming=[str(workspace / "tools/hooks")]
    )
    try:
        assert wakes(events, (workspace / ".envrc").unlink)
    finally:
        events.end()
        events.close()


@pytest.mark.parametrize("make", KINDS)
def test_what_else_happens_wakes_nobody(make: Make, workspace: Path) -> None:
    events = make([str(workspace), str(workspace / ".envrc")])

    def act() -> None:
        (workspace / ".envrc").write_text("in place")
        (workspace / "main.py").write_text("x")
        (workspace / "main.py").unlink()
        events.end()

    try:
        assert not wakes(events, act)
    finally:
        events.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems watch by steps")
def test_a_folder_that_may_not_be_read_is_looked_at_again_and_again_and_named(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Denied(inotify_simple.INotify):  # type: ignore[misc]
        def add_watch(self, path: str, mask: int) -> int:
            if path == str(workspace):
                raise PermissionError(errno.EACCES, "Permission denied")
            return int(super().add_watch(path, mask))

    monkeypatch.setattr(inotify_simple, "INotify", Denied)
    monkeypatch.setattr(mount_events, "_POLL_SECONDS", 0.01)
    events = mount_events.open_events([str(workspace / ".envrc")])
    assert events.delay.endswith(f"since `{workspace}` may not be read")
    assert events.wait()
    events.close()


@pytest.fixture
def shut(workspace: Path) -> Path:
    (workspace / ".vscode/sub").mkdir()
    (workspace / "main.py").write_text("x")
    (workspace / "lib").mkdir()
    return workspace / ".vscode"


ARRIVALS: dict[str, Callable[[Path], object]] = {
    "moved": lambda app: (app / "main.py").rename(app / ".vscode/sub/it"),
    "over another": lambda app: (
        (app / ".vscode/sub/it").write_text("x"),
        (app / "main.py").rename(app / ".vscode/sub/it"),
    ),
    "folder": lambda app: (app / "lib").rename(app / ".vscode/sub/it"),
    "linked": lambda app: (app / ".vscode/sub/it").hardlink_to(app / "main.py"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems watch by steps")
@pytest.mark.parametrize("act", ARRIVALS.values(), ids=ARRIVALS)
def test_what_comes_from_elsewhere_into_a_shut_folder_wakes_and_is_known(
    workspace: Path, shut: Path, act: Callable[[Path], object]
) -> None:
    events = mount_events.open_events([str(shut)], shut=[str(shut), str(shut / "sub")])
    try:
        assert wakes(events, lambda: act(workspace))
        assert list(events.origins.moved) == [str(shut / "sub/it")]
    finally:
        events.end()
        events.close()


LINKS: dict[str, Callable[[Path], object]] = {
    "made": lambda app: (app / ".vscode/sub/it").symlink_to("../../main.py"),
    "renamed": lambda app: (
        (app / ".vscode/sub/new").symlink_to("../../main.py"),
        (app / ".vscode/sub/new").rename(app / ".vscode/sub/it"),
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems watch by steps")
@pytest.mark.parametrize("act", LINKS.values(), ids=LINKS)
def test_a_link_in_a_shut_folder_wakes(
    workspace: Path, shut: Path, act: Callable[[Path], object]
) -> None:
    """What it leads to may be open inside, whoever made it."""
    events = mount_events.open_events([str(shut)], shut=[str(shut), str(shut / "sub")])
    try:
        assert wakes(events, lambda: act(workspace))
    finally:
        events.end()
        events.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems watch by steps")
def test_what_is_made_in_a_shut_folder_and_renamed_there_is_known_as_made(
    workspace: Path, shut: Path
) -> None:
    events = mount_events.open_events([str(shut)], shut=[str(shut), str(shut / "sub")])

    def act() -> None:
        (shut / "new").write_text("x")
        (shut / "new").rename(shut / "sub/settings.json")
        (shut / "folder").mkdir()

    try:
        assert wakes(events, act)
        while str(shut / "folder") not in events.origins.fresh:
            events.wait()
        assert set(events.origins.fresh) == {str(shut / "sub/settings.json"), str(shut / "folder")}
        assert not events.origins.moved
    finally:
        events.end()
        events.close()
