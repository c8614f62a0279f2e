"""The keys of the user's agent, or why there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandboxd.credentials import ssh_keys
from sandboxd.credentials.sources import NoSecret


@pytest.mark.parametrize("environ", [{}, {"SSH_AUTH_SOCK": ""}])
def test_a_shell_without_an_agent_is_told_how_to_start_one(environ: dict[str, str]) -> None:
    with pytest.raises(NoSecret, match="`SSH_AUTH_SOCK` is not set in this shell"):
        ssh_keys.present(environ)


def test_an_agent_that_is_gone_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "agent")
    with pytest.raises(NoSecret, match=f"the SSH agent at `{path}` does not answer: no such file"):
        ssh_keys.present({"SSH_AUTH_SOCK": path})
