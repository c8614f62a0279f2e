"""The acts of the commands of hooks, as far as their text shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd.rules._fetches import Downloads
from sandboxd.rules._mounts import container_writes, project_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.model.container import Container

# Fetched and run in one go: `curl ... | sh`, `sh -c "$(curl ...)"`, `bash <(curl ...)`.
_REMOTE = (
    r"(?:curl|wget)\b[^;&\n]{0,400}?\|\s{0,40}(?:sudo\s{1,40}(?:-\S{1,40}\s{1,40}){0,8})?(?:env\s{1,40})?(?:/[^\s|]{0,200}/)?(?:ba|z|da|k)?sh\b"
    r"|(?:curl|wget)\b[^;&\n]{0,400}?\|\s{0,40}(?:sudo\s{1,40})?(?:python3?|node|perl|ruby)\b"
    r"|(?:ba|z|da)?sh\s{1,40}(?:-c\s{1,40})?[\"']?(?:<\(|\$\(|`)\s{0,40}(?:curl|wget)\b"
    r"|(?:source|\.|eval)\s{1,40}[\"']?(?:<\(|\$\(|`)\s{0,40}(?:curl|wget)\b"
    r"|(?:irm|iwr|curl|wget|Invoke-WebRequest|Invoke-RestMethod)\b[^;\n]{0,400}?\|\s{0,40}(?:iex|Invoke-Expression)\b"
)
_SUSPICIOUS = (
    (r"base64\s{1,40}(?:-d|-D|--decode)[^\n]{0,200}?\|\s{0,40}(?:ba|z)?sh\b", "runs text that is encoded"),
    (r"\bauthorized_keys\b", "touches the keys that may log in to this machine"),
    (r"\bcrontab\b(?!\s{1,40}-l)|/etc/cron", "writes a cron job"),
    (r"\blaunchctl\s{1,40}(?:load|bootstrap|submit)\b|\bsystemctl\s{1,40}(?:--user\s{1,40})?enable\b", "installs a service"),
    (r"/dev/tcp/|\bnc\s{1,40}(?:-\S{1,40}\s{1,40}){0,8}-e\b|\bncat\b[^\n]{0,200}?--exec", "opens a shell to another machine"),
    (r">>?\s{0,40}[\"']?(?:~|\$HOME|\$\{HOME\})/\.(?:bashrc|zshrc|profile|bash_profile|zprofile)\b",
     "writes to the login scripts of this machine"),
    (r"\bdocker\s{1,40}run\b[^\n;&]{0,400}?(?:--privileged|-v\s{0,40}/:|--volume[ =]/:|docker\.sock)",
     "starts a container that owns this machine"),
)  # fmt: skip
_LONGEST = 20_000
_INTERPRETERS = (
    r"(?:sudo\s{1,40})?(?:bash|sh|zsh|dash|python3?|node|ruby|perl|pwsh|powershell|source|\.)"
)
# A path below the project: relative, or by one of the variables that mean it.
_OWN = r"(?:\$\{localWorkspaceFolder\}/|\./|\.devcontainer/|\.\./)"
_FLAGS = r"(?:-[A-Za-z]{1,20}\s{1,40}){0,8}"
_OWN_FILE = (
    r"(?:^|[;&|(]|\bthen\b|\bdo\b)\s{0,40}(?:" + _INTERPRETERS + r"\s{1,40}" + _FLAGS + r")?[\"']?"
    r"(" + _OWN + r"[^\s;&|\"')]+)"
    r"|(?:^|[;&|(])\s{0,40}" + _INTERPRETERS + r"\s{1,40}" + _FLAGS + r"[\"']?"
    r"((?![/~$-])[\w.-]+(?:/[\w.-]+)*\.(?:sh|py|js|mjs|cjs|rb|pl|ps1|bash|zsh))\b"
)
_BUILD_FILE = (
    r"(?:^|[;&|(])\s{0,40}(make|just|task|npm run|yarn run|pnpm run|rake)\b(?!\s{1,40}--version)"
)


def remote_scripts(command: str) -> Iterator[re.Match[str]]:
    """The parts of a command that run what they fetch in one go."""
    return re.finditer(_REMOTE, command[:_LONGEST])


def remote_script(command: str) -> str:
    """The first part of a command that runs what it fetches, in one go or from a file; '' if there is none."""
    match = next(remote_scripts(command), None)
    if match is not None:
        return match[0]
    command = command[:_LONGEST]
    run = next(Downloads().read(command), None)
    return command[run.start : run.end] if run is not None else ""


def suspicious(command: str) -> str:
    """An act of a command that no project's set-up needs on the host; '' for none."""
    if len(command) > _LONGEST:
        return "is longer than anybody reads"
    if remote_script(command):
        return "runs what it fetches from the network"
    for pattern, effect in _SUSPICIOUS:
        if re.search(pattern, command):
            return effect
    return ""


def runs_changeable(command: str, container: Container) -> str:
    """The file of the project that a command runs and that the container can change; '' for none."""
    file = own_file(command)
    path = project_path(file.removeprefix("./"), container) if file else ""
    return file if path and container_writes(path, container) else ""


def own_file(command: str) -> str:
    """The file of the project that a command runs, '' if it runs none."""
    command = command[:_LONGEST]
    match = re.search(_OWN_FILE, command)
    if match:
        return match[1] or match[2]
    build = re.search(_BUILD_FILE, command)
    return build[1] if build else ""
