from __future__ import annotations

from typing import Any

from sandboxd.halt.points import Guards, Lost, Point, What, exposed, lost, points_of
from sandboxd.observe.mount_table import Identity

WORKSPACE = "/home/me/app"


def mount(target: str, source: str = "", **more: Any) -> dict[str, Any]:
    return {"Type": "bind", "Source": source, "Destination": target, "RW": True, **more}


def container(*mounts: dict[str, Any]) -> Any:
    return {"Id": "c", "Mounts": [mount("/workspaces/app", WORKSPACE), *mounts]}


def test_pins_folders_above_them_and_a_git_folder_of_its_own_are_points() -> None:
    inspected = container(
        mount("/workspaces/app/sub/.envrc", f"{WORKSPACE}/sub/.envrc", RW=False),
        mount("/workspaces/app/sub", f"{WORKSPACE}/sub"),
        mount("/workspaces/app/.git", "/home/me/.local/state/sandboxd/git/1/inside"),
        mount("/workspaces/app/.vscode", "/var/lib/docker/v", Type="volume", RW=False),
    )
    assert points_of(inspected, WORKSPACE) == (
        Point(WORKSPACE, Guards.NOTHING),
        Point(f"{WORKSPACE}/.git", Guards.ALL),
        Point(f"{WORKSPACE}/.vscode", Guards.ALL),
        Point(f"{WORKSPACE}/sub", Guards.NOTHING),
        Point(f"{WORKSPACE}/sub/.envrc", Guards.ALL),
    )


def test_the_objects_of_the_host_are_a_point_that_guards_nothing() -> None:
    inspected = container(
        mount("/workspaces/app/.git", "/home/me/.local/state/sandboxd/git/1/inside"),
        mount("/sandboxd/git/objects", f"{WORKSPACE}/.git/objects", RW=False),
        mount("/sandboxd/git/objects-1", "/home/me/other/.git/objects", RW=False),
    )
    points = points_of(inspected, WORKSPACE)
    assert points[2:] == (Point(f"{WORKSPACE}/.git/objects", Guards.NOTHING),)
    seen = {point.path: Identity(1, number) for number, point in enumerate(points)}
    now = {**seen, points[2].path: Identity(2, 2)}
    gone = lost(points, seen, now)
    assert gone == (Lost(points[2].path, What.REPLACED),)
    assert exposed(points, gone) == ()


def test_a_cache_and_what_is_elsewhere_are_none() -> None:
    inspected = container(
        mount("/workspaces/app/node_modules", "/var/lib/docker/n", Type="volume"),
        mount("/workspaces/app/data", "/srv/data"),
        mount("/workspaces/apple", "/x", RW=False),
        mount("/home/x", "/home/me/x", RW=False),
    )
    assert points_of(inspected, WORKSPACE) == (Point(WORKSPACE, Guards.NOTHING),)


def test_a_workspace_that_cannot_be_written_or_is_a_copy_has_none() -> None:
    read_only: Any = {"Mounts": [mount("/w", WORKSPACE, RW=False), mount("/w/a", "/b", RW=False)]}
    copy: Any = {"Mounts": [mount("/w", "/var/lib/docker/c", Type="volume")]}
    assert points_of(read_only, WORKSPACE) == () == points_of(copy, WORKSPACE)


POINTS = (
    Point("/w", Guards.NOTHING),
    Point("/w/.envrc", Guards.ALL),
    Point("/w/sub", Guards.NOTHING),
    Point("/w/sub/.envrc", Guards.ALL),
)
SEEN = {point.path: Identity(1, number) for number, point in enumerate(POINTS)}


def test_nothing_is_lost_where_the_same_is_there() -> None:
    assert lost(POINTS, SEEN, SEEN) == ()


def test_what_is_replaced_or_gone_is_lost_and_only_the_outermost_named() -> None:
    now = {**SEEN, "/w/.envrc": Identity(2, 1)}
    del now["/w/sub"], now["/w/sub/.envrc"]
    assert lost(POINTS, SEEN, now) == (
        Lost("/w/.envrc", What.REPLACED),
        Lost("/w/sub", What.REMOVED),
    )


def test_what_was_never_seen_is_not_judged() -> None:
    assert lost(POINTS, {}, SEEN) == ()


def test_what_is_shut_below_a_lost_folder_is_exposed() -> None:
    assert exposed(POINTS, [Lost("/w/sub", What.REMOVED)]) == (POINTS[3],)
    assert exposed(POINTS, [Lost("/w/.envrc", What.REPLACED)]) == (POINTS[1],)


def test_nothing_is_exposed_in_a_workspace_that_was_moved() -> None:
    assert exposed(POINTS, lost(POINTS, SEEN, {})) == ()
