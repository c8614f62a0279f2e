"""`sandboxd-ask` in the shells and with the clients that small images have, against a played gateway."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxd.egress.questions import Ask, NotAQuestion, answer_line, read
from sandboxd.life.ask_program import ask_program

WHY = "pip's index; it's \"needed\" \N{EURO SIGN} $(id) `id` %s\\n"

CLIENTS = {
    "curl": ("curl", "curl"),
    "GNU wget": ("wget", "wget"),
    "busybox wget": ("wget", "busybox"),
    "bash": ("bash", "bash"),
}
SHELLS = {"dash": ["dash"], "busybox sh": ["busybox", "sh"]}


class Gateway:
    """Answers questions with what it is given, the last answer for ever."""

    def __init__(self) -> None:
        self.asked: list[Ask] = []
        self.problems: list[str] = []
        self.answers = [answer_line("waiting", "1")]
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    gateway.asked.append(read(self.path, body))
                except NotAQuestion as error:
                    gateway.problems.append(str(error))
                answer = gateway.answers[0]
                if len(gateway.answers) > 1:
                    gateway.answers.pop(0)
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    gateway = Gateway()
    try:
        yield gateway
    finally:
        gateway.close()


@pytest.fixture
def program(tmp_path: Path) -> str:
    return ask_program({"XDG_STATE_HOME": str(tmp_path / "state")})


class Image:
    """A PATH with one shell's worth of programs, and the gateway's address."""

    def __init__(self, folder: Path, gateway: Gateway, program: str) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.program = program
        self.shell = ["dash"]
        self.environ = {
            "PATH": str(self.bin),
            "SANDBOXD_GATEWAY": gateway.address,
            "http_proxy": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
        }

    def install(self, name: str, program: str) -> None:
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"`{program}` is not installed")
        (self.bin / name).symlink_to(path)

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        shell = shutil.which(self.shell[0])
        if shell is None:
            pytest.skip(f"`{self.shell[0]}` is not installed")
        command = [shell, *self.shell[1:], self.program, *arguments]
        return subprocess.run(
            command, env=self.environ, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
def image(tmp_path: Path, gateway: Gateway, program: str) -> Image:
    return Image(tmp_path, gateway, program)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_question_and_its_answer(image: Image, gateway: Gateway, client: str, shell: str) -> None:
    image.shell = SHELLS[shell]
    image.install(*CLIENTS[client])
    first = image.ask("egress", "New.example.org:22", "--why", WHY)
    assert first.returncode == 1 and "nobody has answered yet" in first.stderr, first.stderr
    assert gateway.asked == [Ask("new.example.org", 22, WHY, 0)]
    gateway.answers = [answer_line("waiting", "1"), answer_line("waiting"), answer_line("open")]
    last = image.ask("egress", "new.example.org", f"--why={WHY}", "--wait")
    assert (last.returncode, last.stdout) == (0, "new.example.org can be reached at port 443\n")
    assert last.stderr == "asked: waiting for the person outside\n"
    assert [ask.wait for ask in gateway.asked[1:]] == [0, 55, 55]
    assert gateway.problems == []


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (answer_line("denied", "by a person: not today"), 1, "denied: by a person: not today"),
        (answer_line("refused", "it is an address"), 2, "cannot be asked: it is an address"),
        (b"<html>\n", 4, "answers something else"),
        (b"", 4, "answers something else"),
    ],
)
def test_other_answers(
    image: Image, gateway: Gateway, answer: bytes, code: int, words: str
) -> None:
    image.install("curl", "curl")
    gateway.answers = [answer]
    done = image.ask("egress", "a.org", "--why", "x", "--wait")
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["egress"], "no name"),
        (["egress", "a.org"], "no reason"),
        (["egress", "a.org", "--why"], "needs a text"),
        (["egress", "a.org", "b.org", "--why", "x"], "one name"),
        (["egress", "a.org&wait=9", "--why", "x"], "not a host name"),
        (["egress", "a.org:22#", "--why", "x"], "not a port"),
        (["egress", "a.org", "--grant", "--why", "x"], "no option"),
        (["secrets"], "nothing to ask for"),
        ([], "nothing to ask for"),
    ],
)
def test_what_is_no_question_is_not_sent(
    image: Image, gateway: Gateway, arguments: list[str], words: str
) -> None:
    image.install("curl", "curl")
    done = image.ask(*arguments)
    assert done.returncode == 2 and words in done.stderr
    assert gateway.asked == [] and gateway.problems == []


def test_an_image_without_any_client_says_what_to_do(image: Image) -> None:
    done = image.ask("egress", "a.org", "--why", "x")
    assert done.returncode == 4
    assert "neither curl, nor wget, nor bash" in done.stderr
    assert (
        "hint: install one, or have the person run outside: sandboxd egress allow a.org"
        in done.stderr
    )


@pytest.mark.parametrize("client", CLIENTS)
def test_a_gateway_that_is_gone(image: Image, gateway: Gateway, client: str) -> None:
    image.install(*CLIENTS[client])
    image.environ["SANDBOXD_GATEWAY"] = "127.0.0.1:9"
    done = image.ask("egress", "a.org", "--why", "x", "--wait")
    assert done.returncode == 4 and "does not answer" in done.stderr


def test_the_program_is_the_users_own_and_can_run(tmp_path: Path, program: str) -> None:
    assert os.access(program, os.X_OK)
    assert ask_program({"XDG_STATE_HOME": str(tmp_path / "state")}) == program
    assert Path(program).stat().st_mode & 0o777 == 0o755
    help_text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    assert help_text.stdout.startswith("usage: sandboxd-ask egress NAME[:PORT]")
