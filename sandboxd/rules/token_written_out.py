"""A token is written out, at a place where no other rule looks.

## What it is

A token of a known form (GitHub, AWS, Slack, a private key and others) anywhere in the text of a file: in a
`RUN` line, a label, a heredoc, a command, a comment, instructions for agents, a `.envrc`, or in base64 in the
`data` of a Kubernetes Secret. Also a URL whose password, or whose `api_key=` or `token=`, looks random; a password of 12 characters and
more counts where the host is a name of the internet.

    RUN git clone https://x:ghp_...@github.com/acme/private.git

## Why it is bad

The file is in the repository's history and in every clone. What a Dockerfile says stays in the image's history;
base64 hides nothing.

## What to do instead

Withdraw the token first: removing the line does not do that. Then hand it in from outside: a secret of the
build (`RUN --mount=type=secret`), a variable, a Secret that a tool outside of the repository makes, or
`[credentials]` of sandboxd, whose gateway adds it on the way out.

No fix is offered: a token that was written out has to be withdrawn by a person.

## Under gVisor

No difference: it is in the files.

## References

- https://docs.github.com/en/code-security/secret-scanning/introduction/about-secret-scanning
- https://kubernetes.io/docs/concepts/security/secrets-good-practices/
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING

from sandboxd.findings import Finding, Place, RuleMeta, Severity
from sandboxd.rules._needs import Contains
from sandboxd.secret_forms import TOKENS, is_placeholder, looks_generated, looks_random, tokens_in
from sandboxd.syntax.node import walk
from sandboxd.text import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxd.host.facts import HostFacts
    from sandboxd.model.document import Document
    from sandboxd.syntax.node import Node

_QUERY_KEYS = ("api_key=", "apikey=", "api-key=", "access_token=", "token=", "auth=")

META = RuleMeta(
    id="token-written-out",
    summary="a token is written out in a file of the repository",
    severity=Severity.ERROR,
    since="0.1.0",
    why="it is in the repository's history and in every clone",
    needs=(
        *(Contains(mark) for _, _, marks in TOKENS for mark in marks),
        *(Contains(key) for key in _QUERY_KEYS),
        Contains("@"),
        Contains("Secret"),
    ),
    yields_to=("secret-literal", "agent-secret-literal", "dockerfile-secret"),
)

_IN_URL = re.compile(
    r"[a-z][a-z0-9+.-]{1,20}://[^:/@\s\"']{0,80}:([^@/\s\"'$]{1,200})@(?=([\w.-]{0,200}))"
)
_IN_QUERY = re.compile(
    rf"(?i)https?://[^\s\"'<>]{{1,300}}[?&](?:{'|'.join(_QUERY_KEYS)})([^&\s\"'<>$]{{1,200}})"
)
_MOST_DECODED = 64 << 10
"""Characters of base64 in one value; a certificate has some thousands."""


def check(subject: Document, host: HostFacts) -> Iterator[Finding]:
    text = subject.source.text
    spans: list[tuple[int, int]] = []
    for kind, start, end in tokens_in(text):
        if not any(first < end and start < last for first, last in spans):
            spans.append((start, end))
            message = f"{kind} is written out"
            yield _finding(subject, Span(start, end), message, text[start:end], META.severity)
    for pattern, where in ((_IN_URL, "the password of a URL"), (_IN_QUERY, "the key in a URL")):
        for match in pattern.finditer(text):
            start, end = match.span(1)
            is_known = any(first < end and start < last for first, last in spans)
            is_real = looks_random(match[1]) or (
                pattern is _IN_URL and _is_elsewhere(match[2]) and looks_generated(match[1])
            )
            if is_real and not is_known:
                message = f"{where} is written out, and looks like a real one"
                yield _finding(subject, Span(start, end), message, match[1], Severity.WARNING)
    yield from _in_base64(subject)


def _is_elsewhere(host: str) -> bool:
    """Whether a host is a name of the internet, so that its password is none of a throw-away service beside."""
    name, dot, ending = host.rpartition(".")
    is_local = ending in (
        "local",
        "localhost",
        "internal",
        "test",
        "example",
        "invalid",
        "localdomain",
    )
    return bool(name and dot) and not is_local and not ending.isdigit()


def _in_base64(subject: Document) -> Iterator[Finding]:
    """Tokens in the `data` of Kubernetes Secrets."""
    for root in (subject.tree.root, *subject.tree.others):
        if root is None or _text(root, "kind") != "Secret":
            continue
        data = root.get("data")
        for node in walk(data) if data is not None else ():
            decoded = _decoded(node.value)
            kind = next((kind for kind, _, _ in tokens_in(decoded)), "")
            if kind and not is_placeholder(decoded):
                message = f"{kind} is written out: base64 hides nothing"
                yield _finding(subject, node.span, message, decoded, META.severity)


def _text(root: Node, key: str) -> object:
    node = root.get(key)
    return None if node is None else node.value


def _decoded(value: object) -> str:
    """The text that `value` is in base64; '' for anything else."""
    if not isinstance(value, str) or not 16 <= len(value) <= _MOST_DECODED:
        return ""
    try:
        data = binascii.a2b_base64("".join(value.split()), strict_mode=True)
    except (binascii.Error, ValueError):
        return ""
    return data.decode("utf-8", "replace")


def _finding(
    subject: Document, span: Span, message: str, secret: str, severity: Severity
) -> Finding:
    # Late: it loads a library, for the few files that have a token.
    import hashlib

    # The token itself must not get into anybody's log.
    digest = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return Finding(
        META.id, severity, message, Place(subject.source.path, span), digest, why=META.why
    )
