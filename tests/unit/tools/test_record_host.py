"""A report becomes a recorded host that names neither the person nor the machine."""

from __future__ import annotations

import json
from typing import Any

from tools.record_host import recorded

RAW: dict[str, Any] = {
    "version": 1,
    "kernel": "6.18.44-of-a-company",
    "home": "/home/mary",
    "proc_version": "Linux version 6.18.44-of-a-company (mary@machine) (gcc 15) #1 SMP PREEMPT_DYNAMIC Tue",
    "init": "of-a-company",
    "engine": {
        "host": "unix:///home/mary/.docker/podman.sock",
        "images": [{"RepoTags": ["company/secret:1"]}],
        "info": {
            "KernelVersion": "6.18.44-of-a-company",
            "Runtimes": {"x": {"path": "/home/mary/x"}},
        },
        "trials": {"x": {"kernel": "Linux version 4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016"}},
    },
}


def test_nothing_of_the_person_or_the_machine_is_kept() -> None:
    record = recorded(RAW, "a note")
    text = json.dumps(record)
    assert "mary" not in text and "company" not in text and "gcc" not in text
    assert record["recorded"] == {"how": "measured", "note": "a note"}
    engine = record["engine"]
    assert record["kernel"] == engine["info"]["KernelVersion"] == "6.18.44"
    assert record["proc_version"] == "Linux version 6.18.44 #1 SMP PREEMPT_DYNAMIC"
    assert (engine["host"], record["init"]) == ("unix:///run/podman.sock", "init")
    assert engine["trials"] == RAW["engine"]["trials"], "gVisor's own words are what it is known by"


def test_what_names_nobody_stays_as_it_was() -> None:
    plain = {**RAW, "kernel": "6.18.44", "home": "/home/dev", "init": "systemd", "engine": {}}
    record = recorded({**plain, "proc_version": "Linux version 6.18.44"}, "n")
    assert record["init"] == "systemd" and record["proc_version"] == "Linux version 6.18.44"
