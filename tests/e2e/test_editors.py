"""Neovim, Helix and Emacs with exactly the set-up that docs/editors.md gives."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.patience import PATIENCE, eventually
from tools import editors

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "editors.md").read_text()
SOCKET_MESSAGE = "hands the container control over the host's engine"
WEAK = """{
  // the API needs it
  "image": "debian:13",
  "remoteUser": "dev",
  "mounts": ["source=/var/run/docker.sock,target=/var/run/docker.sock,type=bind"]
}
"""

pytestmark = pytest.mark.editor


def snippet(name: str) -> str:
    """The code block of the page below `<!-- snippet: name -->`."""
    match = re.search(rf"<!-- snippet: {name} -->\n```\w+\n(.*?)^```", PAGE, re.S | re.M)
    assert match, f"docs/editors.md has no snippet `{name}`"
    return match[1]


@pytest.fixture
def weak(tmp_path: Path) -> Path:
    file = tmp_path / "weather" / ".devcontainer" / "devcontainer.json"
    file.parent.mkdir(parents=True)
    file.write_text(WEAK)
    (tmp_path / "weather" / "other.json").write_text('{"mounts": ["/var/run/docker.sock"]}')
    return file


@pytest.fixture
def environ(own_home: Path) -> dict[str, str]:
    """As a user's shell: `sandboxd` in PATH, a home of its own."""
    program = Path(sys.executable).parent / "sandboxd"
    tools = own_home / "bin"
    tools.mkdir()
    (tools / "sandboxd").symlink_to(program)
    return {**os.environ, "PATH": f"{tools}:/usr/bin:/bin", "TERM": "xterm-256color"}


def need(name: str, program: str | None = None) -> str:
    """The editor's path; the test is skipped, loudly, where it is not installed."""
    reason = editors.lacks(name)
    path = str(editors.NEOVIM) if program is None else shutil.which(program)
    if reason or path is None:
        pytest.skip(f"no editor: {reason or program}")
    return path


def run(words: list[str], environ: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        words,
        env=environ,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=6 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


NEOVIM_TEST = """
vim.cmd.edit(arg[1])
vim.cmd.doautocmd('BufEnter')
assert(vim.wait(60000, function() return #vim.diagnostic.get(0) > 0 end, 20), 'nothing found')
local function find()
  return vim.tbl_filter(function(d) return d.code == 'docker-socket-mounted' end, vim.diagnostic.get(0))[1]
end
local weak = assert(find(), 'the socket is not found')
print('FOUND', weak.lnum + 1, vim.bo.filetype, weak.message)
vim.api.nvim_win_set_cursor(0, { weak.lnum + 1, weak.col })
vim.lsp.buf.code_action({ apply = true, filter = function(a) return a.title:match('remove the mount') ~= nil end })
assert(vim.wait(60000, function() return find() == nil end, 20), 'the fix was not applied')
vim.cmd.write()
vim.cmd.edit('other.json')
vim.wait(300)
local get = vim.lsp.get_clients or vim.lsp.get_active_clients
print('ELSEWHERE', #get({ bufnr = 0 }))
vim.cmd.qall()
"""


@pytest.mark.parametrize(
    ("name", "package", "program"),
    [("neovim", "neovim-0.11", None), ("neovim-old", "neovim", "nvim")],
)
def test_neovim(
    name: str,
    package: str,
    program: str | None,
    weak: Path,
    environ: dict[str, str],
    tmp_path: Path,
) -> None:
    neovim = need(package, program)
    config = Path(environ["XDG_CONFIG_HOME"]) / "nvim" / "init.lua"
    config.parent.mkdir(parents=True)
    config.write_text(snippet(name))
    script = tmp_path / "test.lua"
    script.write_text(NEOVIM_TEST)
    folder = weak.parents[1]
    words = [neovim, "--headless", "-u", str(config), "-l", str(script), str(weak)]
    output = run(words, environ, folder)
    assert re.search(rf"FOUND 5 jsonc? .*{SOCKET_MESSAGE}", output), output
    assert "ELSEWHERE 0" in output
    assert "docker.sock" not in weak.read_text()
    assert "// the API needs it" in weak.read_text()


EMACS_TEST = """
(require 'flymake)
(setq eglot-sync-connect 60 eglot-connect-timeout 120 flymake-no-changes-timeout 0.1)
(find-file "{file}")
(unless (eglot-managed-p) (run-hooks 'post-command-hook))
(let ((end (+ (float-time) 60)))
  (while (and (< (float-time) end) (not (flymake-diagnostics)))
    (accept-process-output nil 0.1)
    (when (eglot-managed-p) (flymake-start))))
(message "MODE %s" major-mode)
(dolist (found (flymake-diagnostics))
  (message "FOUND %d %s" (line-number-at-pos (flymake-diagnostic-beg found)) (flymake-diagnostic-text found)))
(eglot-shutdown (eglot-current-server) nil 60)
(find-file "{other}")
(message "ELSEWHERE %s" eglot-server-programs)
"""


def test_emacs(weak: Path, environ: dict[str, str], tmp_path: Path) -> None:
    emacs = need("emacs-nox", "emacs")
    (tmp_path / "init.el").write_text(snippet("emacs"))
    test = EMACS_TEST.replace("{file}", str(weak)).replace(
        "{other}", str(weak.parents[1] / "other.json")
    )
    (tmp_path / "test.el").write_text(test)
    words = [emacs, "-Q", "--batch", "-l", str(tmp_path / "init.el"), "-l"]
    output = run([*words, str(tmp_path / "test.el")], environ, weak.parents[1])
    assert re.search(rf"FOUND 5 .*{SOCKET_MESSAGE}", output), output
    elsewhere = output.partition("ELSEWHERE")[2]
    assert elsewhere and "sandboxd" not in elsewhere


LSP_MODE_TEST = """
(package-initialize)
(require 'lsp-mode)
(load "{init}")
(setq lsp-auto-guess-root t lsp-response-timeout 60 lsp-enable-suggest-server-download nil lsp-warn-no-matched-clients nil)
(defun found () (apply #'append (hash-table-values (lsp-diagnostics))))
(defun wait-until (check)
  (let ((end (+ (float-time) 60)))
    (while (and (< (float-time) end) (not (funcall check))) (accept-process-output nil 0.1))))
(find-file "{file}")
(lsp)
(wait-until #'found)
(dolist (one (found))
  (message "FOUND %d %s" (1+ (lsp-get (lsp-get (lsp-get one :range) :start) :line)) (lsp-get one :message)))
(goto-char (point-min))
(search-forward "source=/var/run")
(let ((fix (seq-find (lambda (action) (string-match-p "remove the mount" (lsp-get action :title)))
                     (lsp-code-actions-at-point))))
  (lsp-execute-code-action fix))
(save-buffer)
(find-file "{other}")
(lsp)
(message "ELSEWHERE %s" (lsp-workspaces))
"""


def test_lsp_mode(weak: Path, environ: dict[str, str], tmp_path: Path) -> None:
    emacs = need("emacs-nox", "emacs")
    need("elpa-lsp-mode", "emacs")
    (tmp_path / "init.el").write_text(snippet("lsp-mode"))
    names = {"init": tmp_path / "init.el", "file": weak, "other": weak.parents[1] / "other.json"}
    test = LSP_MODE_TEST
    for name, path in names.items():
        test = test.replace(f"{{{name}}}", str(path))
    (tmp_path / "test.el").write_text(test)
    words = [emacs, "-q", "--batch", "-l", str(tmp_path / "test.el")]
    output = run(words, environ, weak.parents[1])
    assert re.search(rf"FOUND 5 .*{SOCKET_MESSAGE}", output), output
    assert "ELSEWHERE nil" in output
    assert "docker.sock" not in weak.read_text()
    assert "// the API needs it" in weak.read_text()


class Screen:
    """A program on a terminal of its own; what it ever wrote, without the escape sequences."""

    def __init__(self, words: list[str], environ: dict[str, str], folder: Path) -> None:
        self.text = ""
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            os.execvpe(words[0], words, environ)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 160, 0, 0))

    def wait_for(self, words: str) -> None:
        """Words may be parted by the movements of the cursor that were taken out."""
        pattern = re.compile(r"\s*".join(re.escape(word) for word in words.split()))

        def is_there() -> bool:
            self.read()
            return pattern.search(self.text) is not None

        eventually(is_there, lambda: f"`{words}` is not on the screen:\n{self.text[-3000:]}")

    def read(self) -> None:
        """Take what is written now; a program whose terminal nobody reads stands still."""
        if select.select([self._fd], [], [], 0.2)[0]:
            data = os.read(self._fd, 65536).decode("utf-8", "replace")
            self.text += re.sub(r"\x1b(\[[0-9;?<>=]*[a-zA-Z]|\][^\x07]*\x07|[()].|.)", " ", data)

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def end(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._fd)


def test_helix(weak: Path, environ: dict[str, str]) -> None:
    helix = need("hx", "hx")
    config = Path(environ["XDG_CONFIG_HOME"]) / "helix" / "languages.toml"
    config.parent.mkdir(parents=True)
    # A machine that stands still for a moment is slower than the editor waits for by itself.
    patient = 'args = ["lsp"]\ntimeout = 120'
    config.write_text(snippet("helix").replace('args = ["lsp"]', patient))
    screen = Screen([helix, f"{weak}:5:24"], environ, weak.parents[1])
    try:
        screen.wait_for(SOCKET_MESSAGE)
        screen.type(" a")
        screen.wait_for("remove the mount")
        screen.type("\r")

        def is_saved() -> bool:
            """The edit may come after the first time that the file is written."""
            screen.type(":w\r")
            screen.read()
            return "docker.sock" not in weak.read_text()

        eventually(is_saved, lambda: screen.text[-3000:])
    finally:
        screen.end()
