"""Who is to give a sandbox something and has not asked what it may have cannot compile.

mypy reads a call of each giver, once with what it takes and once with a policy or a list of one's own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Giver(NamedTuple):
    """`call` gives `{}`; `takes` is the type of what it takes, `others` are what nobody asked about."""

    imports: str
    call: str
    takes: str
    others: tuple[str, ...]


GIVERS = {
    "a policy to a gateway that runs": Giver(
        "from sandboxd.life import gateway",
        'gateway.push(engine, "sandbox", {}, cut=True)',
        "GatewayRights",
        ("Policy()", "None"),
    ),
    "a policy to a gateway that starts": Giver(
        "from sandboxd.life import egress",
        'egress.prepare(engine, "sandbox", {}, "", print)',
        "GatewayRights",
        ("Policy()", "None"),
    ),
    "the policy of a step": Giver(
        "from sandboxd.policy.reconcile import GiveNames",
        "GiveNames({})",
        "GatewayRights",
        ("Policy()",),
    ),
    "keys to the agent of a sandbox": Giver(
        "from sandboxd.credentials.ssh_agent.filter import Filter",
        "Filter(choice, {}, print)",
        "KeyRights",
        ('frozenset({"SHA256:key"})', "choice"),
    ),
    "ports to this machine": Giver(
        "from sandboxd.daemon.forwards import Forwards",
        'Forwards("sandbox", engine, {}, None, None)',
        "PortRights",
        ("(Port(80),)", "None"),
    ),
}

_HEAD = """
from sandboxd.egress.policy import Policy
from sandboxd.engine.client import Engine
from sandboxd.model.remote import Port
from sandboxd.policy.gateway_rights import GatewayRights
from sandboxd.policy.rights import KeyRights, PortRights, Rights
from sandboxd.credentials.ssh_agent.choice import Choice
"""


def text_of(giver: Giver, value: str) -> str:
    return (
        f"{_HEAD}{giver.imports}\n\n"
        f"def give(engine: Engine, choice: Choice, rights: {giver.takes}) -> None:\n"
        f"    {giver.call.format(value)}\n"
    )


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What mypy says of each call, by the name of its file; '' for nothing. All are read at once."""
    folder = tmp_path_factory.mktemp("givers")
    files: dict[str, str] = {}
    for number, giver in enumerate(GIVERS.values()):
        for value in ("rights", *giver.others):
            files[f"g{number}_{len(files)}.py"] = text_of(giver, value)
    files["made.py"] = (
        f"{_HEAD}\ndef make(all_of: Rights, rights: GatewayRights) -> None:\n"
        "    rights.policy._replace()\n    rights._replace(policy=Policy())\n"
    )
    for name, text in files.items():
        (folder / name).write_text(text)
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
    command += ["--no-error-summary", "--no-pretty", *(str(folder / name) for name in files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    lines = done.stdout.splitlines()
    return {
        text: "\n".join(line for line in lines if f"{name}:" in line)
        for name, text in files.items()
    }


@pytest.mark.parametrize("what", GIVERS)
def test_only_rights_can_be_given(what: str, complaints: dict[str, str]) -> None:
    giver = GIVERS[what]
    assert complaints[text_of(giver, "rights")] == ""
    for other in giver.others:
        said = complaints[text_of(giver, other)]
        assert "[arg-type]" in said and giver.takes in said, said


def test_rights_are_changed_by_nobody(complaints: dict[str, str]) -> None:
    """They are no tuple: no other one comes of them but by their own methods, which take away."""
    (said,) = [text for file, text in complaints.items() if "def make(" in file]
    assert 'has no attribute "_replace"' in said
