"""What NVIDIA's driver, its toolkit and gVisor say of themselves."""

from __future__ import annotations

import pytest

from sandboxd.host.facts import Nvidia
from sandboxd.host.facts.nvidia import drivers, nvidia


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version: 13.3.0", "550.54.15"),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  575.57.08  Release Build  (a@b)", "575.57.08"),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.95.05", "580.95.05"),
        ("GCC version: gcc version 13.3.0 (Ubuntu)", ""),
        ("", ""),
        (None, ""),
        (7, ""),
    ],
)  # fmt: skip
def test_the_driver(text: object, version: str) -> None:
    facts = nvidia({"driver": text, "toolkit": ""})
    assert facts == Nvidia(version, "")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("NVIDIA Container Toolkit CLI version 1.17.8", "1.17.8"),
        ("/usr/bin/nvidia-container-runtime-hook", "of unknown version"),
        ("", ""),
        (None, ""),
    ],
)
def test_the_toolkit(text: object, version: str) -> None:
    assert nvidia({"driver": "", "toolkit": text}) == Nvidia("", version)


def test_where_nobody_looked_nothing_is_known() -> None:
    assert nvidia(None) is None and nvidia("x") is None
    assert drivers(None) is None and drivers("nvproxy: no such command") is None


def test_the_drivers_that_gvisor_knows() -> None:
    assert drivers("550.90.07\n535.104.12\n") == ("550.90.07", "535.104.12")
