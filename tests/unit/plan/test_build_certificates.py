"""Where the certificates of a company's network come into a Dockerfile."""

from __future__ import annotations

from sandboxd.plan.build_certificates import FOLDER, with_certificates
from sandboxd.plan.network_ca import FOLDER as INSIDE
from sandboxd.plan.network_ca import VARIABLES

COPY = f"COPY {FOLDER}/ {INSIDE}/"


def test_each_stage_has_them_before_anything_runs_in_it() -> None:
    text = (
        "# syntax=docker/dockerfile:1\n# escape=`\nARG BASE=debian\n\n"
        "from --platform=$P $BASE `\n  as one\nRUN curl x\n\nFROM scratch\nCOPY --from=one /x /x\n"
        "FROM one"
    )
    made = with_certificates(text)
    lines = made.splitlines()
    assert lines[:6] == text.splitlines()[:6], "nothing comes before the first stage"
    assert [number for number, line in enumerate(lines) if line == COPY] == [
        6,
        len(lines) - 1 - len(VARIABLES),
    ]
    kept = [line for line in lines if line != COPY and not line.startswith("ENV ")]
    assert kept == text.splitlines()
    assert lines[7:9] == [f'ENV {name}="{VARIABLES[name]}"' for name in list(VARIABLES)[:2]]
