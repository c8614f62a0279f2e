"""Figures of `bench`: medians, ratios within a round, and what is not there."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from sandboxd.bench import workload_list
from sandboxd.bench.results import Results, Row, Variant, document, figures_to_remember
from sandboxd.cli import bench_report
from sandboxd.render.pages import bench_html

VARIANTS = (
    Variant("docker", "plain docker run", "trusted", "runc"),
    Variant("gvisor", "gVisor, profile dev", "dev", "runsc-sandboxd"),
)


def results(*rows: Row) -> Results:
    return Results("weather", VARIANTS, rows, 3, "2026-01-02T03:04:05+00:00", {"kernel": "6.1"})


WALK = Row("walking", "walking the workspace", "200 files", {}, {})


def walk(docker: list[float], gvisor: list[float]) -> Row:
    return WALK._replace(times={"docker": docker, "gvisor": gvisor})


def test_a_ratio_compares_within_a_round() -> None:
    """A machine that was twice as slow in one round was it for both."""
    row = walk([1.0, 2.0, 1.0], [3.0, 6.0, 3.3])
    assert row.ratio("gvisor", "docker") == pytest.approx(3.0)
    assert row.spread("gvisor", "docker") == pytest.approx((3.0, 3.3))
    assert row.milliseconds("gvisor") == pytest.approx(3.3)


def test_what_was_not_measured_has_no_figure_and_a_reason() -> None:
    row = WALK._replace(times={"docker": [1.0]}, why={"gvisor": "Read-only file system"})
    figures = document(results(row))["rows"][0]["figures"]
    assert figures["gvisor"] == {
        "milliseconds": None,
        "ratio": None,
        "low": None,
        "high": None,
        "why": "Read-only file system",
    }
    assert "not measured: Read-only file system" in bench_html.render(document(results(row)))


def test_what_is_remembered_is_gvisor_beside_the_base() -> None:
    figures = figures_to_remember(results(walk([1.0, 1.0, 1.0], [4.0, 5.0, 6.0])))
    assert figures["results"] == [
        {"what": "walking the workspace", "runc_ms": 1.0, "gvisor_ms": 5.0}
    ]


def test_the_page_shows_each_figure_and_takes_nothing_from_elsewhere() -> None:
    page = bench_html.render(document(results(walk([1.0] * 3, [4.0, 5.0, 6.0]))))
    assert "5.00 ms, 5.00 x (4.00–6.00)" in page
    assert "://" not in page and "<script" not in page


def test_hostile_names_stay_text() -> None:
    page = bench_html.render(document(results(WALK)._replace(project="<b>\x1b[2J")))
    assert "<b>" not in page and "\x1b" not in page


def test_the_document_is_json() -> None:
    assert json.loads(json.dumps(document(results(WALK))))["version"] == 1


def test_every_workload_runs_on_this_machine(tmp_path: Path) -> None:
    """As inside: from its source, in the folder that it is given."""
    import subprocess
    import sys

    program = workload_list.program(str(tmp_path), "mark").replace(
        b'"seconds": 0.15', b'"seconds": 0.0'
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-"], input=program, capture_output=True, check=True
    )
    records = [json.loads(line.split(b" ", 1)[1]) for line in done.stdout.splitlines()]
    assert [record["name"] for record in records] == [w.name for w in workload_list.load()]
    assert all(record["milliseconds"] > 0 for record in records)
    assert list(tmp_path.iterdir()) == []


def test_what_is_packed_for_the_workloads_is_the_standard_library() -> None:
    packed = set(workload_list.imports())
    assert {"json", "socket"} <= packed, "of the runner, and of a workload"
    assert packed <= sys.stdlib_module_names


def test_the_verdict_compares_with_the_base_and_each_sandbox_has_its_colour() -> None:
    variants = (*VARIANTS, Variant("runc", "runc, profile dev", "dev", "runc"))
    row = WALK._replace(times={"docker": [1.0], "gvisor": [5.0], "runc": [2.0]})
    page = bench_html.render(document(results(row)._replace(variants=variants)))
    assert "Shorter is faster. x: against plain docker run" in page
    assert "gVisor, profile dev: 5 to 5 x of plain docker run; most: walking the workspace" in page
    assert "runc, profile dev: 2 to 2 x of plain docker run" in page
    colours = re.findall(r"--fill:([^\"]+)", page.partition("<section")[2])
    assert len(set(colours)) == 3


def test_work_without_files_is_measured_first() -> None:
    names = [workload.name for workload in workload_list.load()]
    assert names[:4] == ["computing", "system_calls", "starting_processes", "local_connections"]


def test_where_the_report_is_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bench.json"
    bench_report.write(str(path), results(WALK))
    assert json.loads(path.read_text())["project"] == "weather"
    assert f"report: {path}" in capsys.readouterr().err
