"""Folders that would be faster in memory: proposed with the whole line for sandboxd.toml, never chosen."""

from __future__ import annotations

import pytest

from sandboxd.cli import trees_screen
from sandboxd.cli.tree_sizes import Size, Sizes
from sandboxd.config.model import Config
from sandboxd.plan import profiles
from sandboxd.plan.grants import Grants
from sandboxd.plan.plan import Plan
from sandboxd.plan.proposed_trees import NOTHING, Proposal, is_of_use, propose
from sandboxd.plan.tool_folders import Tree
from sandboxd.plan.workspace import WorkspaceFacts
from tests.unit.plan.examples import GVISOR, configured, plan_of, workspace

MIB = 1 << 20
MODULES = Size("web/node_modules", 23411, 310 * MIB, 1200, True)
BUILT = Size("target", 300, MIB // 2, 250, True)
SMALL = Size("dist", 40, MIB, 40, True)
HUGE = Size("data", 5000, 4000 * MIB, 0, True)
ENDLESS = Size("cache", 100_000, MIB, 7, False)


def planned(text: str = "", facts: WorkspaceFacts | None = None) -> tuple[Plan, Config]:
    config = configured(f'image = "img:1"\n{text}')
    grants = Grants(allow_runc=True, trusted=True)
    return plan_of(config, GVISOR, None, facts or workspace(), grants), config


def proposed(*trees: Size, text: str = "", facts: WorkspaceFacts | None = None) -> Proposal:
    plan, config = planned(text, facts)
    return propose(plan, profiles.load(config.profile.value), config, trees)


def test_many_files_or_many_changes_are_proposed() -> None:
    proposal = proposed(MODULES, BUILT, SMALL)
    assert proposal == ((MODULES, BUILT), 'hot = ["web/node_modules", "target"]', (), "2g")


def test_what_is_in_memory_already_stays_in_the_line() -> None:
    facts = workspace(hot=(Tree("node_modules", "missing", "package.json"),))
    inside = Size("node_modules", 5000, 0, 0, True)
    assert proposed(BUILT, inside, facts=facts).line == 'hot = ["node_modules", "target"]'
    text = '[workspace]\nhot = ["build/x"]'
    facts = workspace(hot=(Tree("build/x", "content"),))
    assert proposed(BUILT, text=text, facts=facts).line == 'hot = ["build/x", "target"]'


def test_what_does_not_fit_is_named_and_what_was_not_counted_is_not_proposed() -> None:
    assert proposed(HUGE, ENDLESS) == ((), "", (HUGE,), "2g")


@pytest.mark.parametrize("path", [".vscode", ".git/hooks/x", 'a"b', "a:b", "a\nb", "\udcff"])
def test_a_control_file_and_a_name_that_no_config_takes_are_left_out(path: str) -> None:
    assert proposed(MODULES._replace(path=path)).trees == ()


@pytest.mark.parametrize(
    "text", ['runtime = "runc"', 'profile = "review"', '[workspace]\nlayout = "clone"']
)
def test_nothing_is_measured_where_nothing_would_be_faster(text: str) -> None:
    plan, config = planned(text)
    profile = profiles.load(config.profile.value)
    assert not is_of_use(plan, profile)
    assert propose(plan, profile, config, [MODULES]) == NOTHING


def test_the_screen_names_the_line_and_its_price() -> None:
    trees = (MODULES, BUILT, SMALL)
    shown = list(trees_screen.lines(Sizes(trees, True), proposed(*trees), 80))
    assert max(map(len, shown)) <= 80
    text = " ".join(" ".join(shown).split())
    assert "`web/node_modules`: 23,411 files, 310 MiB, 1,200 of them changed" in text
    assert "`target`: 300 files, less than 1 MiB" in text and "dist" not in text
    assert '`hot = ["web/node_modules", "target"]` below `[workspace]`' in text
    assert "hidden inside" in text and "goes with the sandbox" in text


def test_the_screen_says_what_was_not_measured() -> None:
    assert list(trees_screen.lines(Sizes((), True), NOTHING, 80)) == []
    (_, line) = trees_screen.lines(Sizes((), False), NOTHING, 80)
    assert "not every folder" in line
    shown = " ".join(trees_screen.lines(Sizes((HUGE,), True), proposed(HUGE), 200))
    assert "does not fit into the 2g" in shown and "hot =" not in shown
