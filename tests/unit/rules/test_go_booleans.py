"""Flags of gVisor and Docker are read as Go reads them: https://pkg.go.dev/strconv#ParseBool has the spellings."""

from __future__ import annotations

import json

import pytest

from sandboxd.lint.fixing import fix_source
from sandboxd.text import SourceText

YES = ("1", "t", "T", "TRUE", "true", "True")
NO = ("0", "f", "F", "FALSE", "false", "False")


def rules(*arguments: str) -> set[str]:
    """What is found of a gVisor runtime with these arguments."""
    runtime = {"path": "/usr/bin/runsc", "runtimeArgs": list(arguments)}
    text = json.dumps({"runtimes": {"runsc": runtime}})
    report = fix_source(SourceText("/etc/docker/daemon.json", text)).report
    return {finding.rule for finding in report.findings}


@pytest.mark.parametrize("value", YES)
def test_a_flag_that_is_on(value: str) -> None:
    assert "daemon-runsc-allow-suid" in rules(f"--allow-suid={value}")
    assert "daemon-runsc-no-oci-seccomp" not in rules(f"--oci-seccomp={value}")


@pytest.mark.parametrize("value", NO)
def test_a_flag_that_is_off(value: str) -> None:
    assert "daemon-runsc-allow-suid" not in rules(f"--allow-suid={value}")
    assert "daemon-runsc-no-oci-seccomp" in rules(f"--oci-seccomp={value}")


@pytest.mark.parametrize("value", [*YES, *NO])
def test_control_groups_that_can_be_written(value: str) -> None:
    text = json.dumps({"image": "x", "runArgs": [f"--security-opt=writable-cgroups={value}"]})
    report = fix_source(SourceText("/p/.devcontainer/devcontainer.json", text)).report
    found = {finding.rule for finding in report.findings}
    assert ("writable-cgroups" in found) == (value in YES)
