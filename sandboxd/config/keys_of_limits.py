"""The keys of `[limits]`: how much of the machine the sandbox may use."""

from __future__ import annotations

from sandboxd.config.key import NUMBER, TEXT, Key
from sandboxd.model.limits import FORMS

_COUNTS = "What is more than the profile's counts only after `sandboxd trust add`. A policy can set a maximum."


def _limit(name: str, meaning: str, example: str, of_profiles: str = "") -> Key:
    pattern = FORMS[name].pattern
    return Key(
        name,
        meaning,
        example,
        default="that of the profile",
        type=TEXT if pattern else NUMBER,
        pattern=pattern,
        limits=" ".join(filter(None, (of_profiles, _COUNTS))),
    )


KEYS = (
    _limit("memory", "How much memory the sandbox uses, files in memory included", '"6g"'),
    _limit("processes", "How many processes and threads there are inside", "2048"),
    _limit("cpus", "Which share of the engine's processors it uses", '"50%"'),
    _limit(
        "time",
        "After which time the sandbox ends",
        '"2h"',
        "It is for profiles with a time limit, as `untrusted`.",
    ),
    _limit(
        "home",
        "How much the home folder inside holds, in memory",
        '"1g"',
        "It is for profiles whose image is read-only inside, as `untrusted` and `review`.",
    ),
    _limit(
        "tmp",
        "How much `/tmp` holds, in memory",
        '"1g"',
        "It is for profiles whose image is read-only inside, as `untrusted` and `review`.",
    ),
    _limit(
        "copy",
        "How much a copy of the workspace holds where it is in memory, or on a cluster",
        '"8g"',
        "It is for sandboxes that work on a copy.",
    ),
    _limit(
        "hot",
        "How much each folder of `[workspace] hot` holds",
        '"4g"',
        "It is for profiles that keep such folders in memory.",
    ),
)
