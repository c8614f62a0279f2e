"""Find tokens and passwords in the environment, where every child and every crash report has them.

Names are looked at, values only for being there. What the image sets, and what the project's
config gives on purpose, does not count.
"""

from __future__ import annotations

import os
import re
from typing import Any

from sandboxd.inside.escapes._kernel import read_text

TITLE = "find tokens in the environment"
JUDGE = "open"
CLUSTER = (
    "what the image sets cannot be told from what the cluster adds; "
    "`sandboxd drift` names the variables that are added to a Pod"
)
EXPECTED = {"runc": "nothing is forwarded", "runsc": "nothing is forwarded"}

_SECRET = re.compile(r"(TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_KEY(_ID)?|CREDENTIALS|AUTH)$")
_SHORTEST = 8


def attempt(facts: dict[str, Any]) -> dict[str, Any]:
    variables = dict(os.environ)
    for pair in read_text("/proc/1/environ").split("\0"):
        name, _, value = pair.partition("=")
        variables.setdefault(name, value)
    secrets = sorted(
        name
        for name, value in variables.items()
        if _SECRET.search(name.upper()) and len(value) >= _SHORTEST
    )
    extra = [name for name in secrets if name not in facts["environment"]]
    if not extra:
        raise OSError("only what the config or the image gives: " + (", ".join(secrets) or "none"))
    return {"detail": "set: " + ", ".join(extra)}
