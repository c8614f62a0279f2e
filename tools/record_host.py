"""Makes a recorded host of a report: `sandboxd doctor --raw | python -m tools.record_host NAME NOTE`.

What names a person or a machine is replaced: the home folder, the engine's socket, images, who built the kernel and what
follows the version in its name, and a first process that no distribution has. It prints the digest by which a platform's `RUN` names the record.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

HOSTS = Path(__file__).parent.parent / "tests" / "hosts"
_HOME = "/home/dev"
_INITS = ("systemd", "init", "openrc-init", "runit", "tini", "docker-init")
_BUILDER = re.compile(r"( \(.*\))(?= #)|(?<=DYNAMIC) .*")


def recorded(raw: dict[str, Any], note: str) -> dict[str, Any]:
    """The report `raw` as a recorded host, which `note` describes."""
    home, kernel = str(raw.get("home") or ""), str(raw.get("kernel") or "")
    host = str((raw.get("engine") or {}).get("host") or "")
    plain = re.sub(r"-.*", "", kernel)
    socket = f"unix:///run/{host.rpartition('/')[2]}" if host.startswith("unix:") else ""
    # crun names its folder, which may be below that of the service.
    folder = host.removeprefix("unix:").lstrip("/").rpartition("/")[0]
    own = f"/{folder}" if socket and folder not in ("", "run", "var/run") else ""
    names = {host: socket, own: "/run", home: _HOME, kernel: plain}

    def rename(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: rename(each) for key, each in value.items()}
        if isinstance(value, list):
            return [rename(each) for each in value]
        if isinstance(value, str):
            for old, new in names.items():
                value = value.replace(old, new) if old and new else value
            return _BUILDER.sub("", value) if value.startswith("Linux version ") else value
        return value

    engine = {**(raw.get("engine") or {}), "images": []}
    init = raw.get("init") if raw.get("init") in (None, *_INITS) else "init"
    body = rename({**raw, "init": init, "engine": engine})
    return {"recorded": {"how": "measured", "note": note}, **body}


def digest(name: str) -> str:
    """The digest of a recorded host: the first 16 digits of its file's SHA-256."""
    return hashlib.sha256((HOSTS / f"{name}.json").read_bytes()).hexdigest()[:16]


def main() -> None:
    name, note = sys.argv[1:]
    text = json.dumps(recorded(json.load(sys.stdin), note), indent=1)
    (HOSTS / f"{name}.json").write_text(f"{text}\n")
    print(digest(name))


if __name__ == "__main__":
    main()
