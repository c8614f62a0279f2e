"""docs/seed-guide.md: each statement of the installation guide, what sandboxd does, and the test.

The rows are data; a test holds that every line of the guide is in one, and that every test exists.
"""

from __future__ import annotations

import os
from typing import NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GUIDE = "tests/data/installation-guide.md"
UNIT = "tests/unit/test_installation_guide.py"


class Row(NamedTuple):
    """Lines `first` to `last` of the guide; `verdict` is done, checked, corrected or pointer."""

    first: int
    last: int
    verdict: str
    does: str
    test: str


ROWS = (
    Row(1, 5, "checked", "VM-level is a word: gVisor shrinks the surface and does not remove it. `sandboxd verify` attacks a sandbox and judges by effect. A runtime counts as gVisor only when its kernel was seen inside, with a boot id of its own.", f"{UNIT}::test_line_5_what_gvisor_intercepts"),
    Row(7, 11, "done", "`doctor` names the platform; on Linux the first step is `setup gvisor`. \"Excellent performance\" depends on the work: see the lines on performance.", f"{UNIT}::test_line_11_linux_is_where_gvisor_is_recommended"),
    Row(13, 15, "corrected", "The guide pipes whatever arrives into apt's trust. `setup gvisor --source repository` computes the key's fingerprint from its packets and refuses any other than the pinned one, or a file with a second key.", f"{UNIT}::test_line_15_the_key_is_checked_against_a_pinned_fingerprint"),
    Row(16, 16, "done", "The same line for apt, in the same file; removed again by `--rollback`.", f"{UNIT}::test_line_16_the_repository_is_the_guides"),
    Row(18, 19, "done", "The same commands; a version that was there before comes back with `--rollback`.", f"{UNIT}::test_lines_18_and_19_apt"),
    Row(21, 22, "corrected", "A stock `runsc` does not start on kernels from 6.9 on (runsc of 2024), and with its default `directfs` a file of a read-only folder can be emptied from inside. Two runtimes of our own are registered, with the arguments that trials on this machine showed to be needed; daemon.json keeps every other byte.", f"{UNIT}::test_line_22_our_runtimes_instead_of_the_stock_one"),
    Row(23, 23, "corrected", "A restart stops all containers unless live-restore is on. Runtimes are re-read on a reload; a restart is the second choice and asked for.", f"{UNIT}::test_line_23_a_reload_instead_of_a_restart"),
    Row(25, 27, "corrected", "`hello-world` prints the same under every runtime. `--verify` shows gVisor's kernel inside, then runs all escape attempts under both runtimes.", f"{UNIT}::test_line_26_verified_by_the_kernel_and_not_by_a_greeting"),
    Row(29, 31, "checked", "`doctor` on Docker Desktop says so, with the reason below.", f"{UNIT}::test_line_31_docker_desktop_on_macos_has_no_gvisor"),
    Row(33, 36, "done", "The alternatives in this order with exact commands, in `doctor` and docs/platforms.md; the second and third are one, since what is accepted is what is hardened.", f"{UNIT}::test_lines_34_to_36_the_alternatives_in_order"),
    Row(38, 39, "checked", "Said where hardened runc is used: containers share that machine's kernel.", f"{UNIT}::test_line_39_containers_run_in_a_linux_vm"),
    Row(40, 41, "corrected", "gVisor runs in virtual machines: our measurements were made in one, and its default platform needs no hardware virtualization. The reason is that Docker Desktop's machine takes no further runtime that stays (google/gvisor#11238, docker/desktop-feedback#364).", f"{UNIT}::test_lines_40_and_41_the_reason_is_corrected"),
    Row(43, 45, "checked", "Recognised from Windows and from inside a WSL2 distribution.", f"{UNIT}::test_line_45_docker_desktop_on_windows"),
    Row(47, 48, "corrected", "Possible, but gVisor's maintainers call WSL \"very much unsupported\" (google/gvisor#11370): used only where a trial starts.", f"{UNIT}::test_line_48_wsl2_with_its_own_engine"),
    Row(49, 49, "done", "What sandboxd generates by itself where no gVisor works.", f"{UNIT}::test_line_49_the_other_controls_on_windows"),
    Row(51, 53, "done", "`dev` falls back to runc with all other controls and names the downgrade; `agent` refuses.", f"{UNIT}::test_line_53_without_gvisor_the_other_controls_are_used"),
    Row(55, 114, "corrected", "The list ships as `seed-baseline`, with `statx`, without which runc 1.3 starts no container, and with its faults named: no `eventfd2` (node aborts), no `clock_nanosleep` (`time.sleep` fails), `clone` without a filter (user namespaces open). `dev` is the engine's own list less what is dangerous, and passes 24 of 24 workloads.", f"{UNIT}::test_lines_57_to_113_the_seccomp_list"),
    Row(116, 135, "corrected", "As printed it does not compile (`HOMEDIRS` is not declared); mended, it lets no program start. `setup apparmor` loads our own profiles where the kernel has AppArmor, and says so where it has not; it is never counted there.", f"{UNIT}::test_lines_118_to_135_the_apparmor_profile_does_not_compile"),
    Row(137, 146, "done", "The same set in `seed-baseline`; `dev` adds FOWNER, without which package managers fail; `agent` gives none back.", f"{UNIT}::test_lines_141_to_145_capabilities"),
    Row(148, 153, "done", "In every profile but `trusted`; without it a missing option is a finding.", f"{UNIT}::test_line_152_no_new_privileges"),
    Row(155, 163, "done", "`sandboxd verify`: attempts judged by effect on the host, never by an error code, under each runtime.", "tests/e2e/test_setup_gvisor.py::test_from_nothing_to_held_and_back"),
    Row(165, 169, "corrected", "Shown as the guide's figures, beside measured ones: seccomp costs 0-5 % of real work; gVisor (runsc 20240729) costs nothing for computing, 3 x for starting a program, 10 x for starting many, 10-30 x for many small files of a mounted workspace.", f"{UNIT}::test_lines_167_to_169_the_figures_are_marked_as_the_guides"),
    Row(171, 173, "corrected", "`recommend --for production`: gVisor or nothing; and the truth about the other two: gVisor honours seccomp for what the first process starts and, up to runsc 20240729, not for `exec`, and ignores AppArmor.", f"{UNIT}::test_line_173_production_linux"),
    Row(174, 174, "done", "`recommend --for development` on these hosts.", f"{UNIT}::test_line_174_development_on_macos_and_windows"),
    Row(175, 175, "done", "`recommend --for high-security`: gVisor on Linux, refused elsewhere with the next step.", f"{UNIT}::test_line_175_high_security"),
    Row(177, 181, "pointer", "Read for the above; each claim that was taken over has a test of its own.", "tests/contract/test_seed_guide.py::test_every_line_is_in_a_row"),
)  # fmt: skip


def lines() -> list[str]:
    with open(f"{ROOT}/{GUIDE}", encoding="utf-8") as file:
        return file.read().splitlines()


def page() -> str:
    """The table as Markdown."""
    guide = lines()
    head = (
        "# The installation guide, line by line\n\n"
        "sandboxd grew from a page of advice, kept as "
        "[installation-guide.md](../tests/data/installation-guide.md). Each of its statements is "
        "done, checked or corrected here, with the test that shows it.\n\n"
        "| lines | statement | | what sandboxd does | test |\n|---|---|---|---|---|\n"
    )
    return head + "".join(f"| {_row(row, guide)} |\n" for row in ROWS)


def _row(row: Row, guide: list[str]) -> str:
    where = str(row.first) if row.first == row.last else f"{row.first}-{row.last}"
    cells = (where, _statement(row, guide), row.verdict, row.does, f"`{row.test}`")
    return " | ".join(cell.replace("|", "\\|") for cell in cells)


def _statement(row: Row, guide: list[str]) -> str:
    """The lines' own words; code is named, not repeated."""
    lines = [text.strip() for text in guide[row.first - 1 : row.last]]
    shown_lines = [text for text in lines if text and not text.startswith("```")]
    text = " ".join(shown_lines).replace("**", "").replace("`", "").lstrip("# ")
    return text if len(text) <= 160 else text[:157] + "..."
