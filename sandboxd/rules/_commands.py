"""What the commands of hooks do, as far as their text says."""

from __future__ import annotations

import re

# Fetched and run in one go: `curl ... | sh`, `sh -c "$(curl ...)"`, `bash <(curl ...)`.
_REMOTE = (
    r"(?:curl|wget)\b[^;&\n]*\|\s*(?:sudo\s+(?:-\S+\s+)*)?(?:env\s+)?(?:/\S*/)?(?:ba|z|da|k)?sh\b"
    r"|(?:curl|wget)\b[^;&\n]*\|\s*(?:sudo\s+)?(?:python3?|node|perl|ruby)\b"
    r"|(?:ba|z|da)?sh\s+(?:-c\s+)?[\"']?(?:<\(|\$\(|`)\s*(?:curl|wget)\b"
    r"|(?:source|\.|eval)\s+[\"']?(?:<\(|\$\(|`)\s*(?:curl|wget)\b"
    r"|(?:irm|iwr|Invoke-WebRequest)\b[^;\n]*\|\s*iex\b"
)
_SUSPICIOUS = (
    (r"base64\s+(?:-d|-D|--decode)[^\n]*\|\s*(?:ba|z)?sh\b", "runs text that is encoded"),
    (r"\bauthorized_keys\b", "touches the keys that may log in to this machine"),
    (r"\bcrontab\b(?!\s+-l)|/etc/cron", "writes a cron job"),
    (r"\blaunchctl\s+(?:load|bootstrap|submit)\b|\bsystemctl\s+(?:--user\s+)?enable\b", "installs a service"),
    (r"/dev/tcp/|\bnc\s+(?:-\S+\s+)*-e\b|\bncat\b[^\n]*--exec", "opens a shell to another machine"),
    (r">>?\s*[\"']?(?:~|\$HOME|\$\{HOME\})/\.(?:bashrc|zshrc|profile|bash_profile|zprofile)\b",
     "writes to the login scripts of this machine"),
    (r"\bdocker\s+run\b[^\n;&]*(?:--privileged|-v\s*/:|--volume[ =]/:|docker\.sock)",
     "starts a container that owns this machine"),
)  # fmt: skip
_INTERPRETERS = (
    r"(?:sudo\s+)?(?:bash|sh|zsh|dash|python3?|node|ruby|perl|pwsh|powershell|source|\.)"
)
# A path below the project: relative, or by one of the variables that mean it.
_OWN = r"(?:\$\{localWorkspaceFolder\}/|\./|\.devcontainer/|\.\./)"
_OWN_FILE = (
    rf"(?:^|[;&|(]|\bthen\b|\bdo\b)\s*(?:{_INTERPRETERS}\s+(?:-[A-Za-z]+\s+)*)?[\"']?"
    rf"({_OWN}[^\s;&|\"')]+)"
    rf"|(?:^|[;&|(])\s*{_INTERPRETERS}\s+(?:-[A-Za-z]+\s+)*[\"']?"
    r"((?![/~$-])[\w.-]+(?:/[\w.-]+)*\.(?:sh|py|js|mjs|cjs|rb|pl|ps1|bash|zsh))\b"
)
_BUILD_FILE = r"(?:^|[;&|(])\s*(make|just|task|npm run|yarn run|pnpm run|rake)\b(?!\s+--version)"


def remote_script(command: str) -> str:
    """The part that runs what it fetches, '' if there is none."""
    found = re.search(_REMOTE, command)
    return found[0] if found else ""


def suspicious(command: str) -> str:
    """What a command does that no set-up of a project has to do on the host, '' if nothing."""
    if remote_script(command):
        return "runs what it fetches from the network"
    for pattern, effect in _SUSPICIOUS:
        if re.search(pattern, command):
            return effect
    return ""


def own_file(command: str) -> str:
    """The file of the project that a command runs, '' if it runs none."""
    found = re.search(_OWN_FILE, command)
    if found:
        return found[1] or found[2]
    build = re.search(_BUILD_FILE, command)
    return build[1] if build else ""
