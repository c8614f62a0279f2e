"""Published escapes: one file each, `NAME.toml` beside this one. Adding one is adding a file.

`ids` are its names, `effect` is what it lets a container, an image or a repository do. `condition` says what
else it takes, and `needs` names a fact of the host without which it does nothing (``cuse``). `evidence` says
what sandboxd sees of it, and `attempts` which attempts of `verify` try it. Each `affected` is a component
with the first repaired version of each branch (none: it is not repaired), each `package` the first repaired
one of a distribution's release. All was compared with `source` on the day `reviewed`; what could not be is
not here, so a missing entry says nothing of a version."""

from __future__ import annotations

import functools
import os

_FOLDER = os.path.dirname(__file__)


@functools.cache
def names() -> tuple[str, ...]:
    """Names of all advisories that ship."""
    return tuple(sorted(name[:-5] for name in os.listdir(_FOLDER) if name.endswith(".toml")))


def path(name: str) -> str:
    """The file of the advisory `name`."""
    return os.path.join(_FOLDER, f"{name}.toml")
