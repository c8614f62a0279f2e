"""Host paths of mounts in one canonical form, so that spellings cannot hide what they name.

The form: forward slashes, no `.`, `..` or doubled slashes, the home of whoever opens the
project as ``~`` (wherever it is), Windows drives as ``c:/``, `/var/run` as `/run`, and what
stands behind the mount points of WSL, Docker Desktop and `/proc/1/root` as itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandboxd import agent_files
from sandboxd.model.paths import lies_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.container import Container, Mount
    from sandboxd.model.values import Value

# Compiled only when a path needs them: most need none, and compiling is a part of every start.
# `${localEnv:HOME}${localEnv:USERPROFILE}` is the usual way to support every system: one of both is empty.
# A variable that does not end goes to the end of the text: from each further one it would be read again.
_HOME = (
    r"(?:(?P<last>\$\{(?:localEnv|env):(?:HOME|USERPROFILE|HOMEDRIVE|HOMEPATH)(?::[^}]*+(?P<end>\}|\Z)|\}))"
    r"|\$\{HOME\}|\$HOME(?![A-Za-z0-9_])|%USERPROFILE%|%HOMEDRIVE%|%HOMEPATH%)+"
)
_WITH_DEFAULT = r"\$\{(?:localEnv|env):[^:}]*+:(?P<value>[^:}]*+)[^}]*+(?P<end>\}|\Z)"
_PLACES = {
    "SSH_AUTH_SOCK": "${SSH_AUTH_SOCK}",
    "DBUS_SESSION_BUS_ADDRESS": "${DBUS_SESSION_BUS_ADDRESS}",
    "XDG_RUNTIME_DIR": "/run/user/1000",
}
"""The things that these variables of a host name; of the first two only the name is known."""
_PLACES_OF_CREDENTIALS = {
    "XDG_CONFIG_HOME": "~/.config",
    "GNUPGHOME": "~/.gnupg",
    "KUBECONFIG": "~/.kube/config",
    "DOCKER_CONFIG": "~/.docker",
    "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials",
    "AWS_CONFIG_FILE": "~/.aws/config",
    "AZURE_CONFIG_DIR": "~/.azure",
    "CLOUDSDK_CONFIG": "~/.config/gcloud",
    "GOOGLE_APPLICATION_CREDENTIALS": "~/.config/gcloud/application_default_credentials.json",
    "GH_CONFIG_DIR": "~/.config/gh",
    "NPM_CONFIG_USERCONFIG": "~/.npmrc",
    "NETRC": "~/.netrc",
    "PGPASSFILE": "~/.pgpass",
    "APPDATA": "~/AppData/Roaming",
    "LOCALAPPDATA": "~/AppData/Local",
    "CARGO_HOME": "~/.cargo",
    "GRADLE_USER_HOME": "~/.gradle",
    "HELM_REGISTRY_CONFIG": "~/.config/helm/registry/config.json",
    "MINIKUBE_HOME": "~/.minikube",
    "PASSWORD_STORE_DIR": "~/.password-store",
    "SOPS_AGE_KEY_FILE": "~/.config/sops/age/keys.txt",
    "TF_CLI_CONFIG_FILE": "~/.terraformrc",
    **agent_files.VARIABLES,
}
"""The places where what these variables of a host name lies by default."""
_VARIABLE = r"\$(?:\{{(?:(?:localEnv|env):)?{name}(?:[:?+-][^}}]*)?\}}|{name}(?![A-Za-z0-9_]))"
_SELF = r"/proc/(?:self|thread-self|[0-9]+)/root(?=/|$)"
_WSL = r"(?i)//(?:wsl\$|wsl\.localhost)/[^/]+"
_DRIVE_MOUNTS = ("/host_mnt/", "/run/desktop/mnt/host/", "/mnt/")
_HOMES = ("/home", "/Users", "/var/home", "/export/home", "c:/Users")


def host_mounts(container: Container, host: HostFacts) -> Iterator[tuple[Value[Mount], str]]:
    """Every mount that shows a path of the host, with that path in canonical form."""
    for mount in container.mounts:
        source = _place_of_variable(mount) or host_source(mount.value)
        if source:
            yield mount, canonical(source, host.home)


def _place_of_variable(mount: Value[Mount]) -> str:
    """The path of a mount whose source begins with a variable with a known meaning; else ''.

    Its value says less: it is not set where CI checks, and elsewhere it may be any path.
    """
    written = mount.written
    if "$" not in written or mount.value.type != "bind":
        return ""
    for name, place in (*_PLACES.items(), *_PLACES_OF_CREDENTIALS.items()):
        if name in written and (match := re.match(_VARIABLE.format(name=name), written)):
            return place + written[match.end() :]
    return ""


def host_source(mount: Mount) -> str:
    """The host path behind a mount, '' if there is none; the driver options of a volume can make it a bind."""
    if mount.type == "bind":
        return mount.source
    parts = (option.removeprefix("volume-opt=").partition("=") for option in mount.options)
    named = {name: value for name, _, value in parts}
    device, part = named.get("device", ""), named.get("volume-subpath")
    if not device.startswith(("/", "~", "$")):
        return ""
    return f"{device.rstrip('/')}/{part}" if part else device


def _home(use: re.Match[str]) -> str:
    """The replacement for a match of `_HOME`: `~` for variables that name the home; one that does not end stays."""
    if use["end"] != "":
        return "~"
    return ("~" if use.start("last") > use.start() else "") + use["last"]


def canonical(source: str, home: str | None = None) -> str:
    """`source` in the form that this module describes."""
    path = source.strip()
    if "$" in path or "%" in path:
        path = re.sub(_HOME, _home, path)
        path = re.sub(_WITH_DEFAULT, lambda use: use["value"] if use["end"] else use[0], path)
    path = path.replace("\\", "/")
    if path.startswith("//"):
        if path.startswith("//./pipe/"):
            return path.lower()
        # `//./C:/` is a drive of Windows; elsewhere `//./x` is `/x`.
        if path[2:4] in ("./", "?/") and path[5:6] == ":":
            path = path[4:]
        path = re.sub(_WSL, "", path, count=1) or "/"
    path = _normal(path)
    # Repeated, since one may stand behind the other.
    while path.startswith("/proc/") and (rest := re.sub(_SELF, "", path, count=1)) != path:
        path = rest or "/"
    path = _with_drive(path)
    path = path.removeprefix("/private") if path.startswith("/private/var/") else path
    if path == "/var/run" or path.startswith("/var/run/"):
        path = path[len("/var") :]
    return _with_tilde(path, home)


def within_workspace(mount: Value[Mount], path: str, container: Container) -> bool:
    """Whether the mount is written as a path of the project, which the container has anyway, and is one.

    It is not if a `..` or a symbolic link leads out of the project.
    """
    # A relative path is the project's, but the whole of a home is no project.
    is_relative = mount.written.startswith(".") and path not in ("/", "~")
    if not is_relative and "${localWorkspaceFolder}" not in mount.written:
        return False
    if container.workspace is None:
        return ".." not in mount.written
    return lies_in(mount.value.source.rstrip("/"), container.workspace.rstrip("/")) and (
        ".." not in mount.written or lies_in(path, canonical(container.workspace))
    )


def project_path(path: str, container: Container) -> str:
    """The path below the project's folder that docker takes `path` for; '' if it is elsewhere.

    If the folder is not known, its variable stands for it.
    """
    workspace = (container.workspace or "${localWorkspaceFolder}").rstrip("/")
    if path.startswith("${localWorkspaceFolder}/"):
        path = workspace + path[len("${localWorkspaceFolder}") :]
    elif not path.startswith(("/", "~", "$", "\\")) and path[1:2] != ":":
        path = f"{workspace}/{path}"
    if ".." in path:
        path = _normal(path)
    path = path.replace("/./", "/")
    return path if path.startswith(workspace + "/") else ""


def container_writes(path: str, container: Container) -> bool:
    """Whether a file of the project can be changed from inside, where the project is mounted.

    It can unless a read-only mount covers it; `path` is one of :func:`project_path`.
    """
    workspace = (container.workspace or "${localWorkspaceFolder}").rstrip("/")
    for mount in container.mounts:
        source = host_source(mount.value).rstrip("/")
        if not mount.value.read_only or not source or not lies_in(path, source):
            continue
        # The project as a whole elsewhere inside says nothing of its usual place.
        if source != workspace or mount.origin.key == "workspaceMount":
            return False
    return True


def _normal(path: str) -> str:
    """`path` without `.`, `..` and empty parts; a `..` above an unknown variable stays."""
    absolute = path.startswith("/")
    parts: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part != "..":
            parts.append(part)
        elif parts == ["~"]:
            absolute, parts = True, ["home"]
        elif parts and parts[-1] != ".." and not parts[-1].startswith("${"):
            parts.pop()
        elif not absolute:
            parts.append("..")
    return ("/" if absolute else "") + "/".join(parts)


def _with_drive(path: str) -> str:
    """A path with its Windows drive as ``c:``, also where WSL and Docker Desktop mount the drive."""
    for mount in _DRIVE_MOUNTS:
        if path.startswith(mount):
            letter, slash, rest = path[len(mount) :].partition("/")
            if len(letter) == 1 and letter.isalpha():
                return f"{letter.lower()}:{slash}{rest}"
    if path[1:2] == ":" and path[2:3] in ("", "/"):
        return path[0].lower() + path[1:]
    return path


def _with_tilde(path: str, home: str | None) -> str:
    """A path with the home of any user as ``~``: who opens the project is not known here."""
    if home and home != "/" and lies_in(path, home.rstrip("/")):
        return "~" + path[len(home.rstrip("/")) :]
    if lies_in(path, "/root"):
        return "~" + path[len("/root") :]
    for folder in _HOMES:
        if path.lower().startswith(folder.lower() + "/"):
            user, slash, rest = path[len(folder) + 1 :].partition("/")
            return "~" + slash + rest if user else path
    return path
