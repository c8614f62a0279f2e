"""Which room, or which part of one, may read the machine or the clock, or use a library of the edge. The test beside it holds it."""

from __future__ import annotations

# `os.environ` stands for getenv too.
_EDGES = (
    "agents",
    "audit",
    "host",
    "engine",
    "backends",
    "life",
    "observe",
    "halt",
    "verify",
    "review",
    "exchange",
    "sync",
    "credentials",
    "egress",
    "forward",
    "inside",
    "ipc",
    "operations",
    "daemon",
    "cli",
    "terminal",
    "setup",
    "bench",
)
MACHINE: dict[str, tuple[str, ...]] = {
    "subprocess": _EDGES,
    "os.environ": (*_EDGES, "login"),
    "platform": _EDGES,
    "time": (*_EDGES, "deadline", "file_lock"),  # they wait for so many seconds
    "watchfiles": ("daemon",),
    "inotify_simple": ("daemon",),
    "tomli_w": ("toml_output",),
    "pickle": (),  # to read one runs what it says
    "lightkube": ("backends.kubernetes",),
    "httpx2": ("backends.kubernetes",),
    "docker": ("engine",),  # see docs/decisions/0007
    "requests": ("engine",),
    "urllib3": ("engine",),
}
