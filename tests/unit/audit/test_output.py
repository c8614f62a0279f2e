"""The record for other readers: a sentence, OpenTelemetry, the system's journal."""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path

import pytest

from sandboxd.audit import journald, otlp, words
from sandboxd.audit.entry import Entry
from sandboxd.errors import EnvironmentFailure

ENTRY = Entry(
    4,
    1795743074.5,
    "start",
    "/home/ann/app",
    "ann",
    {"profile": "dev", "not_in_force": ["apparmor", "user"], "weak": False, "totals": {"denied": 2}},
    "ab" * 32,
)  # fmt: skip
HOSTILE = ENTRY._replace(kind="network", facts={"denied": ["evil\nSANDBOXD_BY=root:443"]})


def test_a_sentence_names_each_fact() -> None:
    assert words.sentence(ENTRY) == (
        "profile: dev, not in force: apparmor user, weak: no, totals: denied=2"
    )
    assert words.sentence(ENTRY._replace(facts={"not_in_force": [], "image": ""})) == (
        "not in force: none, image: none"
    )


def test_items_of_a_list_are_told_apart() -> None:
    controls = ["control files", "git on the host", "git on the host", "seccomp"]
    assert words.sentence(ENTRY._replace(facts={"not_in_force": controls})) == (
        "not in force: control files; git on the host (2); seccomp"
    )


def test_a_denial_is_of_all_ports() -> None:
    facts = {"name": "example.org", "ports": []}
    assert words.sentence(ENTRY._replace(facts=facts)) == "name: example.org, ports: all"


def test_moments_and_hashes_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    facts = {
        "until": 1795743074.5,
        "image": "sha256:" + "0123456789ab" + "0" * 52,
        "plan": "f" * 64,
    }
    expected = "until: 2026-11-27 01:31, image: 0123456789ab, plan: ffffffffffff"
    assert words.sentence(ENTRY._replace(facts=facts)) == expected
    assert words.sentence(ENTRY._replace(facts={"until": 0.0})) == "until: for good"
    odd = {"until": "tomorrow", "name": "f" * 65, "files": {"a": "0" * 64}}
    expected = f"until: tomorrow, name: {'f' * 65}, files: a=000000000000"
    assert words.sentence(ENTRY._replace(facts=odd)) == expected


def test_opentelemetry_has_what_the_entry_has() -> None:
    document = json.loads(json.dumps(otlp.request([ENTRY], "1.2")))
    (resource,) = document["resourceLogs"]
    (scope,) = resource["scopeLogs"]
    assert scope["scope"] == {"name": "sandboxd.audit", "version": "1.2"}
    (record,) = scope["logRecords"]
    assert record["timeUnixNano"] == "1795743074500000000"
    assert record["severityText"] == "INFO"
    attributes = {each["key"]: each["value"] for each in record["attributes"]}
    assert attributes["sandboxd.number"] == {"intValue": "4"}
    assert attributes["sandboxd.weak"] == {"boolValue": False}
    assert attributes["sandboxd.not_in_force"] == {
        "arrayValue": {"values": [{"stringValue": "apparmor"}, {"stringValue": "user"}]}
    }
    assert attributes["sandboxd.totals"]["kvlistValue"]["values"] == [
        {"key": "denied", "value": {"intValue": "2"}}
    ]
    (warning,) = otlp.request([ENTRY._replace(kind="drift")], "")["resourceLogs"][0]["scopeLogs"][
        0
    ]["logRecords"]
    assert warning["severityText"] == "WARN"


def test_the_journal_gets_one_datagram_an_entry(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(path)
        journal.settimeout(10)
        assert journald.send([ENTRY, HOSTILE], path) == 2
        first, second = journal.recv(1 << 16).decode(), journal.recv(1 << 16).decode()
    assert "SYSLOG_IDENTIFIER=sandboxd\n" in first
    assert "SANDBOXD_PROJECT=/home/ann/app\n" in first
    assert [row for row in second.splitlines() if row.startswith("SANDBOXD_BY=")] == [
        "SANDBOXD_BY=ann"
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="files in memory are Linux's")
def test_an_entry_that_no_datagram_holds_reaches_the_journal_as_a_sealed_file(
    tmp_path: Path,
) -> None:
    import fcntl

    path, large = str(tmp_path / "socket"), ENTRY._replace(facts={"denied": ["x" * 400_000]})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(path)
        journal.settimeout(10)
        assert journald.send([ENTRY, large, ENTRY], path) == 3
        assert journal.recv(1 << 16) == journald.message(ENTRY)
        data, (descriptor,), _, _ = socket.recv_fds(journal, 1 << 16, 4)
        assert journal.recv(1 << 16) == journald.message(ENTRY)
    with open(descriptor, "rb") as file:
        file.seek(0)
        assert (data, file.read()) == (b"", journald.message(large))
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
        assert seals & fcntl.F_SEAL_WRITE and seals & fcntl.F_SEAL_SEAL


def test_no_journal_is_said_with_another_way(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="does not take the record") as raised:
        journald.send([ENTRY], str(tmp_path / "none"))
    assert "--json" in raised.value.hint
