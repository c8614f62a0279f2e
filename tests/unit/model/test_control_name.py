"""What names a control elsewhere, as text, names one that there is."""

from __future__ import annotations

import pytest

from sandboxd.cli import losses
from sandboxd.config.values import profile_names
from sandboxd.model.control_name import ControlName
from sandboxd.plan import profiles
from sandboxd.plan.reasons import Downgrade
from sandboxd.verify import attempts

NAMES = {str(name) for name in ControlName}


def test_the_order_of_losses_on_screens_has_names_of_controls_alone() -> None:
    assert set(losses._OF_THE_MACHINE) <= NAMES


def test_attempts_name_controls() -> None:
    assert {name for attempt in attempts.every() for name in attempt.controls} <= NAMES


@pytest.mark.parametrize("name", profile_names())
def test_faults_of_profiles_name_controls(name: str) -> None:
    assert all(fault.control in ControlName for fault in profiles.load(name).faults)


def test_a_name_is_read_and_written_as_its_text() -> None:
    lost = Downgrade(ControlName.CPU_LIMIT, "no control group")
    assert f"{lost.control}: {lost.why}" == "cpu limit: no control group"
    assert lost.control == "cpu limit" and lost.control.is_of_machine
    assert not ControlName.GIT_IDENTITY.is_of_machine
