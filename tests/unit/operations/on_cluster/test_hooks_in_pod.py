"""How a hook's command comes into a Pod, how its end is read, and what its network refused meanwhile."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandboxd.backends.kubernetes import running
from sandboxd.backends.kubernetes.channels import PodGone
from sandboxd.backends.kubernetes.kubeconfig import Context
from sandboxd.backends.kubernetes.target import Target
from sandboxd.engine.execute import TooMuch
from sandboxd.errors import EnvironmentFailure, UsageError
from sandboxd.operations.on_cluster import _hooks_in_pod
from sandboxd.operations.on_cluster._hooks_in_pod import InPod, script
from tests.unit.plan.examples import GVISOR, RUNC_GRANTED, plan

CONTEXT = Context("team", "shop", {"server": "https://10.0.0.1"}, {}, "")
PLAN = plan('runtime = "runc"', GVISOR, grants=RUNC_GRANTED)
MARK = "SANDBOXD_HOOK=1"


def place() -> InPod:
    cluster: Any = SimpleNamespace(context=CONTEXT)
    return InPod(Target(cluster, {}, "/w", "/w", ""), "uid-1", PLAN)


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
@pytest.mark.parametrize(
    ("words", "output"),
    [
        (("printf", "%s|", "it's", "a b", "$HOME", "*", "", "\n"), "it's|a b|$HOME|*||\n|"),
        (("sh", "-c", "echo $A; pwd; cat"), "it's $me\n{folder}\n"),
        (("sh", "-c", "echo $SANDBOXD_HOOK"), "1\n"),
        (("printenv", "UID", "a-b"), "7\nwith a dash\n"),
        (("a=b",), "a program\n"),
    ],
)
def test_a_command_arrives_as_it_is_written_by_its_input(
    shell: str, words: Sequence[str], output: str, tmp_path: Path
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    folder = tmp_path / "its folder"
    folder.mkdir()
    program = tmp_path / "a=b"
    program.write_text("#!/bin/sh\necho a program\n")
    program.chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    env = {"A": "it's $me", "a-b": "with a dash", "PATH": path, "UID": "7"}
    data = script(words, env, str(folder), MARK)
    given = list(_hooks_in_pod._GIVEN)
    start = [shell, "sh"] if shell == "busybox" else [shell]
    done = subprocess.run(
        [*start, *given[1:], str(len(data))], input=data, capture_output=True, check=False
    )
    assert (done.stdout.decode(), done.returncode) == (output.format(folder=folder), 0)


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_a_command_that_did_not_arrive_whole_does_not_run(shell: str, tmp_path: Path) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"no {shell}")
    words = ("mkdir", f"{tmp_path}/made", "-p", f"{tmp_path}/made/whole")
    data = script(words, {"A": "it's\nme"}, str(tmp_path), MARK)
    given = [path, *(["sh"] if shell == "busybox" else []), *_hooks_in_pod._GIVEN[1:]]
    ends = [at for at, byte in enumerate(data) if byte in b" /'\n}"]
    assert len(ends) > 20 and ends[-1] == len(data) - 1
    for end in (0, *ends):
        done = subprocess.run(
            [*given, str(len(data))], input=data[:end], capture_output=True, check=False
        )
        assert done.returncode and done.stderr, data[:end]
        assert list(tmp_path.iterdir()) == [], data[:end]


@pytest.mark.parametrize(("words", "value"), [(("rm", "a\0b"), ""), (("true",), "x\0y")])
def test_a_command_that_a_shell_would_change_is_refused(words: Sequence[str], value: str) -> None:
    with pytest.raises(UsageError, match="holds a NUL byte"):
        script(words, {"A": value}, "/w", MARK)


def test_a_command_for_an_image_without_head_is_a_failure() -> None:
    shell = shutil.which("dash") or "/bin/sh"
    done = subprocess.run(
        [shell, *_hooks_in_pod._GIVEN[1:], "4"],
        input=b"true", capture_output=True, check=False, env={"PATH": "/nonexistent"},
    )  # fmt: skip
    assert done.returncode
    assert b"head" in done.stderr and b"the command did not arrive" in done.stderr


def test_a_folder_that_is_not_there_is_a_failure_of_the_hook() -> None:
    data = script(("true",), {}, "/nonexistent", MARK)
    done = subprocess.run(
        [*_hooks_in_pod._GIVEN, str(len(data))], input=data, capture_output=True, check=False
    )
    assert done.returncode == 126


class Played:
    """Channels whose command ends with `code`, or whose connection breaks."""

    code = 0
    breaks = False

    def __init__(self, *_: object, **options: bool) -> None:
        assert options == {"stdin": True}
        self.is_closed = False

    def send(self, data: bytes) -> None:
        assert data.startswith(b"{ cd /workspaces/w ")

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        yield 1, b"some"
        if self.breaks:
            raise PodGone("the connection broke off")

    def close(self) -> None:
        self.is_closed = True


def begun(patch: pytest.MonkeyPatch, **fields: Any) -> Any:
    patch.setattr(_hooks_in_pod, "Channels", type("Other", (Played,), fields))
    command = place().begin(("true",), {}, "", MARK)
    assert not command.is_over()
    pieces: list[bytes] = []
    command.hear(lambda _, piece: pieces.append(piece))
    assert pieces == [b"some"] and command.is_over()
    return command


def test_the_end_of_a_command_is_its_code_or_the_end_of_its_pod(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[object] = []
    monkeypatch.setattr(_hooks_in_pod, "running_pod", looks.append)
    assert begun(monkeypatch, code=7).code() == 7
    assert looks == []
    assert begun(monkeypatch, code=137).code() == 137
    assert len(looks) == 1, "a deleted Pod kills, too"
    with pytest.raises(PodGone, match="broke off"):
        begun(monkeypatch, breaks=True).code()


def test_a_question_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_cluster: object, _pod: str, words: Sequence[str], *more: Any) -> int:
        *_, write = more
        if words[0] == "late":
            raise TimeoutError
        write(2, b"not this")
        write(1, b"A=1\0B=\0" if words[0] == "cat" else bytes(5 << 20))
        return 0

    monkeypatch.setattr(running, "run", run)
    assert place().own_environment() == ["A=1", "B="]
    with pytest.raises(TooMuch):
        place().ask(["endless"], 3)
    with pytest.raises(EnvironmentFailure, match="`late` ran longer than 3 s"):
        place().ask(["late"], 3)


def test_what_cannot_be_signalled_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise PodGone("it is gone")

    monkeypatch.setattr(_hooks_in_pod, "signal_marked", gone)
    place().signal(MARK, 15, 1)


def line(name: str, port: int, times: int, reason: str = "no-rule", outcome: str = "denied") -> Any:
    return SimpleNamespace(name=name, port=port, times=times, reason=reason, outcome=outcome)


def test_only_names_that_were_refused_meanwhile_and_can_be_allowed_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [line("old.example", 443, 1), line("again.example", 443, 1)]

    def ledger(_: object) -> Any:
        return SimpleNamespace(lines=lambda: lines)

    monkeypatch.setattr(_hooks_in_pod.PodGateway, "ledger", ledger)
    pod = place()
    state = pod.network_now()
    lines[1] = line("again.example", 443, 2)
    lines += [
        line("New.example", 8080, 1),
        line("10.0.0.1", 443, 1, "not-a-name"),
        line("denied.example", 443, 1, "denied"),
        line("fine.example", 443, 1, "allowed", "reached"),
    ]
    assert pod.refused_since(state) == ("again.example", "new.example:8080")
    assert pod.refused_since(None) == ()
