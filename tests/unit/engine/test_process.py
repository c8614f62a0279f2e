"""What the settings of a Docker engine say that its API does not, and whose process it is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandboxd.engine import process
from sandboxd.engine.process import listener, makes_rules, rules_by

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@pytest.mark.parametrize(
    ("words", "settings", "made"),
    [
        ([], {}, True),
        (["--iptables=false"], {}, False),
        (["-H", "fd://", "--iptables=0"], {}, False),
        (["--iptables"], {}, True),
        (["--iptables=true", "--iptables=false"], {}, False),
        (["--iptables", "--debug"], {}, True),
        (["--ip6tables=false"], {}, True),
        ([], {"iptables": False}, False),
        ([], {"iptables": True}, True),
    ],
)
def test_rules_by_arguments_and_settings(
    words: list[str], settings: dict[str, Any], made: bool
) -> None:
    assert rules_by(words, settings) is made


@pytest.mark.parametrize(("words", "value"), [(["--iptables=no"], True), ([], "false")])
def test_another_value_is_unknown(words: list[str], value: object) -> None:
    with pytest.raises(ValueError, match=r"^no$|neither true nor false"):
        rules_by(words, {"iptables": value})


def test_no_socket_of_this_machine_has_no_process(tmp_path: Path) -> None:
    for host in ("tcp://127.0.0.1:2375", "ssh://a", f"unix://{tmp_path}/none.sock"):
        assert listener(host) == 0
        assert makes_rules(host) is None


PROGRAM = """
import pathlib, socket, sys
pathlib.Path("/proc/self/comm").write_text("dockerd")
with socket.socket(socket.AF_UNIX) as listening:
    listening.bind(sys.argv[1])
    listening.listen()
    print("ready", flush=True)
    sys.stdin.read()
"""


@linux_only
@pytest.mark.parametrize(
    ("text", "made"),
    [
        ('{"iptables": false}', False),
        ('{"debug": true}', True),
        ('{"iptables": "no"}', None),
        ("{", None),
        ("[]", None),
        (None, True),
    ],
)
def test_the_process_that_listens_names_its_settings(
    tmp_path: Path, text: str | None, made: bool | None
) -> None:
    settings = tmp_path / "daemon.json"
    if text is not None:
        settings.write_text(text)
    path = tmp_path / "engine.sock"
    words = [sys.executable, "-c", PROGRAM, str(path), "--config-file", str(settings)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as played:
        assert played.stdout is not None and played.stdout.readline() == b"ready\n"
        assert listener(f"unix://{path}") == played.pid
        assert makes_rules(f"unix://{path}") is made
        settings.unlink(missing_ok=True)
        settings.mkdir()
        assert makes_rules(f"unix://{path}") is None, "what cannot be read is not known"
        played.communicate()


@linux_only
def test_a_process_that_is_no_engine_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "other.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        assert listener(f"unix://{path}") == os.getpid()
        assert makes_rules(f"unix://{path}") is None


@linux_only
def test_a_socket_of_systemd_leads_to_the_engine_by_its_pid_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {1: "systemd", 7: "dockerd", 8: "bash"}
    monkeypatch.setattr(process, "program", names.__getitem__)
    monkeypatch.setattr(process, "_PID_FILE", str(tmp_path / "docker.pid"))
    assert process._engine(1) == 0
    (tmp_path / "docker.pid").write_text("7\n")
    assert process._engine(1) == 7
    (tmp_path / "docker.pid").write_text("8\n")
    assert process._engine(1) == 0
    assert process._engine(7) == 7
