"""Settings that make a tool accept every certificate: variables, and words of commands."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from sandboxd.rules._commands import remote_scripts
from sandboxd.rules._fetches import last_comparison

if TYPE_CHECKING:
    from collections.abc import Iterator

_FALSE = "false|0|no|off"
_TRUE = "true|1|yes|on"
# Variables, and the values that switch the check off; `tests/rules/lists/tls-switches.toml` has the sources.
VARIABLES = {
    "ANSIBLE_GALAXY_IGNORE": _TRUE,
    "BUNDLE_SSL_VERIFY_MODE": "0",
    "CONDA_SSL_VERIFY": _FALSE,
    "CONSUL_HTTP_SSL_VERIFY": _FALSE,
    "CURL_INSECURE": _TRUE,
    # Git asks only whether it is there.
    "GIT_SSL_NO_VERIFY": ".*",
    "GOINSECURE": "[^$]+",
    "HELM_KUBEINSECURE_SKIP_TLS_VERIFY": _TRUE,
    "HEX_UNSAFE_HTTPS": _TRUE,
    "MAVEN_OPTS": r"(?:.{0,300}\s)?-Dmaven\.wagon\.http\.ssl\.insecure(?:=true)?(?:\s.{0,300})?",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "NOMAD_SKIP_VERIFY": _TRUE,
    "NPM_CONFIG_STRICT_SSL": _FALSE,
    "PERL_LWP_SSL_VERIFY_HOSTNAME": "0",
    "PIP_TRUSTED_HOST": "[^$]+",
    "PYTHONHTTPSVERIFY": "0",
    "UV_INSECURE_HOST": "[^$]+",
    "VAULT_SKIP_VERIFY": _TRUE,
    "YARN_ENABLE_STRICT_SSL": _FALSE,
    "YARN_STRICT_SSL": _FALSE,
}
# Characters of a command, quoted or not.
_PART = r"(?:[^;&|\n\"']|\"[^\"\n]{0,400}\"|'[^'\n]{0,400}')"
_SET = r"[\"']?[\s=:]{1,10}[\"']?"
_CURL_FLAG = r"(?:-[a-zA-Z0-9#]{0,12}k[a-zA-Z]{0,12}|--insecure)(?=[\s\"']|\Z)"
# Program, a text without which nothing fits (compiling a form costs more than reading a Dockerfile), and what
# switches its check off; `tests/rules/lists/tls-commands.toml` has the sources.
COMMANDS = {
    "apt": (
        "::Verify-",
        rf"\bAcquire::https?(?:::[\w.-]{{1,80}})?::Verify-(?:Peer|Host){_SET}(?i:{_FALSE})\b",
    ),
    "aws": ("--no-verify-ssl", r"\baws\s[^;&|\n]{0,200}?--no-verify-ssl\b"),
    "bundle": ("ssl_verify_mode", rf"\bbundle\s[^;&|\n]{{0,100}}?\bssl_verify_mode{_SET}0\b"),
    "composer": ("disable-tls", rf"\bcomposer\s[^;&|\n]{{0,100}}?\bdisable-tls{_SET}(?:true|1)\b"),
    "conda": (
        "ssl_verify",
        rf"\b(?:conda|mamba)\s[^;&|\n]{{0,100}}?\bssl_verify{_SET}(?i:{_FALSE})\b",
    ),
    "curl": ("curl", rf"\bcurl\s(?={_PART}{{0,400}}?(?<=\s){_CURL_FLAG}){_PART}{{0,400}}"),
    "curl's settings": (
        "curlrc",
        r"\b(?:echo|printf)\s{1,10}[\"']?(?:-k|(?:--)?insecure)(?:\\n)?[\"']?\s{0,10}>{1,2}\s{0,10}[^\s;&|]{0,100}\.curlrc\b",
    ),
    "deno": (
        "--unsafely-ignore-certificate-errors",
        r"--unsafely-ignore-certificate-errors\b",
    ),
    "dnf": ("sslverify", rf"(?<![./\w])sslverify{_SET}(?i:{_FALSE})\b"),
    "git": (
        "http.",
        rf"\bgit\s[^;&|\n]{{0,200}}?\bhttp\.(?:\S{{1,100}}\.)?ssl[vV]erify{_SET}(?i:{_FALSE})\b",
    ),
    "kubectl": ("--insecure-skip-tls-verify", r"--insecure-skip-tls-verify(?!=false)\b"),
    "maven": (
        "-Dmaven.wagon",
        r"\bmvnw?\s[^;&|\n]{0,200}?-Dmaven\.wagon\.http\.ssl\.insecure(?:=true)?(?=[\s\"']|\Z)",
    ),
    "npm": (
        "strict-ssl",
        rf"(?:\b(?:npm|pnpm|yarn)\s[^;&|\n]{{0,100}}?)?\bstrict-ssl{_SET}false\b|\bnpm\s[^;&|\n]{{0,100}}?--no-strict-ssl\b",
    ),
    "pip": (
        "trusted-host",
        rf"(?:\bpip3?\s[^;&|\n]{{0,200}}?)?\b(?:global\.|install\.)?trusted-host{_SET}[^\s\"';&|]{{1,100}}",
    ),
    "podman": ("tls-verify=false", r"--(?:src-|dest-)?tls-verify=false\b"),
    "wget": (
        "--no-check-certificate",
        rf"\bwget\s(?={_PART}{{0,400}}?(?<=\s)--no-check-certificate\b){_PART}{{0,400}}",
    ),
    "yarn": ("enableStrictSsl", rf"\benableStrictSsl{_SET}false\b"),
}
_ASSIGNED = rf"(?<![\w$-])({'|'.join(VARIABLES)})=([\"']?)([^\s\"';&|)]*)\2"
# More findings of one rule are not given anyway.
_MOST = 200
# What these fetch may be compared afterwards.
_FETCHING = ("curl", "wget")
_LOOPBACK = r"//(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?=[:/\s\"']|\Z)|trusted-host.{0,5}\b(?:localhost|127\.)"


def switches_off(name: str, value: str) -> bool:
    """Whether a tool that finds this variable checks no certificates."""
    pattern = VARIABLES.get(name.upper())
    return pattern is not None and re.fullmatch(pattern, value.strip(), re.IGNORECASE) is not None


def open_parts(script: str) -> Iterator[tuple[int, int]]:
    """Start and end of each part of a script that accepts every certificate.

    Left out are downloads that are compared with a hash or a signature afterwards, or run in one go,
    which is a matter of its own, and what asks the loopback.
    """
    judged: list[tuple[int, int]] | None = None
    for program, (mark, pattern) in COMMANDS.items():
        if mark not in script or (program == "curl" and not _has_open_flag(script)):
            continue
        for match in islice(re.finditer(pattern, script), _MOST):
            start, end = match.start(), match.start() + len(match[0].rstrip())
            if re.search(_LOOPBACK, match[0]):
                continue
            if program in _FETCHING:
                # Once for all of a script: a hostile one has thousands.
                judged = _judged_elsewhere(script) if judged is None else judged
                if any(first <= start < last for first, last in judged):
                    continue
            yield start, end
    upper = script.upper()
    if any(name in upper for name in VARIABLES):
        for match in re.finditer(_ASSIGNED, script, re.IGNORECASE):
            if switches_off(match[1], match[3]):
                yield match.span()


def _has_open_flag(script: str) -> bool:
    """Whether a word may be `-k`, alone or among other flags, or `--insecure`."""
    return "--insecure" in script or any(
        word[0] == "-" and word[1:2] != "-" and "k" in word for word in script.split()
    )


def _judged_elsewhere(script: str) -> list[tuple[int, int]]:
    """Spans of downloads that other rules judge: all before the last comparison with a hash or a signature, and each
    that is piped into a shell.
    """
    spans = [match.span() for match in islice(remote_scripts(script), _MOST)]
    return [(0, last_comparison(script)), *spans]
