"""Files that tools on the host act upon: pinned where they are there, else named."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.plan import profiles
from sandboxd.plan.acting import acting
from sandboxd.plan.mounts import workspace_mounts
from sandboxd.plan.notes import Notes
from sandboxd.plan.workspace import WorkspaceFacts, survey
from tests.unit.plan.test_git_control import git

FILES = (
    ".envrc", ".mcp.json", ".gitattributes", "AGENTS.md", "src/AGENTS.md", "lefthook.yml",
    ".config/mise/config.toml", "main.py", "x.code-workspace", ".env", ".hg/hgrc",
)  # fmt: skip
FOLDERS = (".idea", ".claude/commands", ".github/workflows", "src/.vscode")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in FOLDERS:
        (tmp_path / folder).mkdir(parents=True)
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("")
    return tmp_path


def looked_at(project: Path, name: str) -> WorkspaceFacts:
    profile = profiles.load(name)
    return survey(str(project), profile.control_files, None, profile.left_open)


def test_dev_pins_what_is_at_the_top_and_names_the_rest(project: Path) -> None:
    facts = looked_at(project, "dev")
    assert {
        ".idea", ".claude", ".envrc", ".mcp.json", ".gitattributes", "AGENTS.md", "lefthook.yml",
        ".config", "x.code-workspace", ".hg",
    } <= {*facts.existing_control_files}  # fmt: skip
    assert {entry.path for entry in facts.exposed} == {
        ".github", ".env", "src/.vscode", "src/AGENTS.md",
    }  # fmt: skip
    notes = Notes("dev")
    mounts = {m.value.target: m.value.read_only for m in workspace_mounts(facts, True, notes)}
    inside = f"/workspaces/{project.name}"
    # No git is there that would track what is in it.
    assert mounts[f"{inside}/.mcp.json"] and mounts[f"{inside}/.config"]
    downgrade = next(d for d in notes.downgrades if d.control == "control files")
    for path in (".env", ".github", "src/AGENTS.md"):
        assert f"`{path}`" in downgrade.why
    assert mounts[f"{inside}/.hg"]
    said = next(d for d in notes.downgrades if d.control == "version control")
    assert "`.hg`: read-only inside" in said.why and "commit on the host" in said.fix
    assert "can be created from inside" in downgrade.why and 'layout = "clone"' in downgrade.fix


def test_agent_pins_ci_as_well(project: Path) -> None:
    assert ".github" in looked_at(project, "agent").existing_control_files


def test_dependencies_cost_no_mount_and_hide_nothing(tmp_path: Path) -> None:
    names = (
        *(f"node_modules/p{number}/index.js" for number in range(300)),
        *(f".venv/bin/tool{number}" for number in range(300)),
        *("node_modules/.vscode", "package.json", "composer.json", "vite.config.ts", "mypy.ini"),
    )
    sorted_out = acting(str(tmp_path), names, ())
    assert sorted_out.pins == ()
    assert [entry.path for entry in sorted_out.exposed] == ["node_modules/.vscode"]


def test_a_link_is_named_and_stops_nothing(project: Path) -> None:
    (project / "CLAUDE.md").symlink_to("AGENTS.md")
    facts = looked_at(project, "dev")
    assert "CLAUDE.md" in [entry.path for entry in facts.exposed]
    workspace_mounts(facts, True, Notes("dev"))


def test_what_lies_in_a_pinned_folder_is_no_pin_of_its_own(project: Path) -> None:
    facts = survey(str(project), (".claude", ".claude/commands"), None, ())
    assert ".claude/commands" not in facts.existing_control_files


def test_pins_are_bounded(tmp_path: Path) -> None:
    names = [f"{number}.code-workspace" for number in range(100)]
    facts = acting(str(tmp_path), names, ())
    assert len(facts.pins) == 64 and len(facts.exposed) == 36


def test_names_made_from_inside_push_no_pin_out(project: Path) -> None:
    before = set(looked_at(project, "dev").existing_control_files)
    for number in range(100):
        (project / f"!{number:03}.code-workspace").write_text("")
    after = looked_at(project, "dev")
    assert before <= set(after.existing_control_files)
    assert "x.code-workspace" in after.existing_control_files
    assert {entry.path for entry in after.exposed if entry.path.startswith("!")}


def test_what_a_halt_put_aside_stays_as_it_is(project: Path) -> None:
    for name in (".git.halted", ".idea.halted-2"):
        (project / name).mkdir()
    for name in (".envrc.halted", "main.py.halted"):
        (project / name).write_text("")
    facts = looked_at(project, "dev")
    pins = {f.path for f in facts.control_files if f.kind in ("file", "directory")}
    assert {".git.halted", ".idea.halted-2", ".envrc.halted"} <= pins
    assert "main.py.halted" not in pins


def test_names_of_things_put_aside_take_no_pin_from_others(tmp_path: Path) -> None:
    names = [f".envrc.halted-{number}" for number in range(2, 90)]
    acts = acting(str(tmp_path), [*names, "lefthook.yml"], ())
    assert "lefthook.yml" in acts.pins
    assert len(acts.pins) == 64
    assert len(acts.exposed) == 25


def test_what_git_tracks_deep_below_the_top_is_named(project: Path) -> None:
    deep = ("web/app/.vscode/tasks.json", "web/app/.vscode/launch.json", "web/app/sub/.envrc")
    for file in (*deep, "web/app/.npmrc", "web/app/sub/AGENTS.md"):
        (project / file).parent.mkdir(parents=True, exist_ok=True)
        (project / file).write_text("")
    assert not {e.path for e in looked_at(project, "dev").exposed if e.path.startswith("web")}
    git(project, "init", "-q")
    git(project, "add", *deep, "web/app/.npmrc")
    (project / "web/app/.npmrc").unlink()
    exposed = {e.path: e.why for e in looked_at(project, "dev").exposed}
    assert {path for path in exposed if path.startswith("web")} == {
        "web/app/.vscode", "web/app/sub/.envrc",
    }  # fmt: skip
    assert exposed["web/app/.vscode"] == "editor settings and tasks"


def test_deep_in_a_folder_that_is_shut_nothing_is_named(project: Path) -> None:
    (project / ".idea/a/b").mkdir(parents=True)
    (project / ".idea/a/b/.envrc").touch()
    git(project, "init", "-q")
    git(project, "add", ".")
    assert ".idea/a/b/.envrc" not in {e.path for e in looked_at(project, "dev").exposed}


def test_names_deep_below_the_top_that_are_gone_push_none_out_that_is_there(tmp_path: Path) -> None:
    gone = [f"a/b{number:03}/.envrc" for number in range(201)]
    for file in (*gone, "z/b/.envrc"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).touch()
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    for file in gone:
        (tmp_path / file).unlink()
    assert [entry.path for entry in looked_at(tmp_path, "dev").exposed] == ["z/b/.envrc"]
