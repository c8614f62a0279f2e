"""Where a path passes: into the sandbox, out of it, both ways, or nowhere."""

from __future__ import annotations

import pytest

from sandboxd.policy.acts_on_host_table import ROWS
from sandboxd.sync.flows import Flow, Policy, aside

POLICY = Policy(
    is_hidden=lambda path, _: path == ".env",
    is_ignored=lambda path, is_folder: path in ("node_modules", "dist") and is_folder,
    is_wanted=lambda path, is_folder: path == "dist",
    is_outward=lambda path: path.startswith("reports/"),
)


@pytest.mark.parametrize(
    ("path", "flow"),
    [
        ("src/main.py", Flow.BOTH),
        ("dist", Flow.BOTH),
        ("reports/today", Flow.OUT),
        (".vscode/tasks.json", Flow.IN),
        (".VSCode/tasks.json", Flow.IN),
        (".gitattributes", Flow.IN),
        (".git", Flow.NONE),
        ("a/.GIT/config", Flow.NONE),
        ("a/git~1/config", Flow.NONE),
        ("a/.g\u200cit/config", Flow.NONE),
        (".git./config", Flow.NONE),
        (".env", Flow.NONE),
        ("node_modules", Flow.NONE),
        (".sandboxd-sync-0123456789abcdef", Flow.NONE),
    ],
)
def test_directions(path: str, flow: Flow) -> None:
    assert POLICY.rule(path, True).flow is flow
    names = path.split("/")
    ups = ["/".join(names[:end]) for end in range(1, len(names) + 1)]
    assert any(POLICY.excludes(up, True) for up in ups) is (flow is Flow.NONE)


def test_what_never_passes_is_told_by_one_name() -> None:
    """A look at a side asks of each name by itself."""
    names = [name for row in ROWS if row.weight == "never" for name in row.names]
    assert names
    assert not [name for name in names if "/" in name]
    assert all(Policy().excludes(f"a/{name}", True) for name in names)


def test_what_runs_in_a_build_passes_marked_unless_the_policy_forbids_it() -> None:
    rule = Policy().rule("conftest.py", False)
    assert (rule.flow, rule.is_marked) == (Flow.BOTH, True)
    assert rule.why
    assert Policy(runs_pass=False).rule("conftest.py", False).flow is Flow.IN


def test_a_config_beside_a_head_acts_as_a_repository() -> None:
    assert Policy().rule("a/config", False).flow is Flow.BOTH
    assert Policy().rule("a/config", False, is_beside_head=True).flow is Flow.IN
    assert Policy().rule("a/readme", False, is_beside_head=True).flow is Flow.BOTH


@pytest.mark.parametrize("name", [".gitattributes", ".env", "lefthook.yml"])
def test_what_a_conflict_puts_aside_passes_no_further_than_before(name: str) -> None:
    once = aside(name, "0123abcd", 1)
    assert once == f"{name}.inside-0123abcd"
    assert aside(once, "4567cdef", 2) == f"{name}.inside-4567cdef-2"
    for path in (once, f"{once}/b", f"a/{once}.inside-4567cdef-2"):
        origin = path.replace(".inside-0123abcd", "").replace(".inside-4567cdef-2", "")
        assert POLICY.rule(path, False).flow is POLICY.rule(origin, False).flow
