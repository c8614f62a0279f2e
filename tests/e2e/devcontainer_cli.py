"""The real dev container CLI, of one version for all tests.

Not through `npx`: each call of it asks the registry again, which takes longer than what the CLI does.
"""

from __future__ import annotations

import pytest

from tools import editors


def program() -> str:
    """Its path; the test that asks is skipped where it is not installed."""
    if reason := editors.lacks("devcontainer-cli"):
        pytest.skip(reason)
    return str(editors.DEVCONTAINER)
