"""Secrets by their look: tokens with a known form, names that say secret, values that look random."""

from __future__ import annotations

import re

_TOKENS = (
    ("GitHub token", r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{60,}"),
    ("GitLab token", r"\bglpat-[A-Za-z0-9_-]{20}"),
    ("AWS key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("Slack token", r"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
    ("OpenAI key", r"\bsk-(?:proj-)?[A-Za-z0-9_-]{32,}"),
    ("Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{24,}"),
    ("Google key", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("Stripe key", r"\b[sr]k_live_[A-Za-z0-9]{20,}"),
    ("npm token", r"\bnpm_[A-Za-z0-9]{36}"),
    ("PyPI token", r"\bpypi-[A-Za-z0-9_-]{60,}"),
    ("Hugging Face token", r"\bhf_[A-Za-z0-9]{30,}"),
    ("SendGrid key", r"\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
    ("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
)
_NAME = (
    r"(?i)(?:^|_)(?:TOKEN|SECRET|API_?KEY|ACCESS_?KEY|SECRET_?KEY|PRIVATE_?KEY|PASSWORD|PASSWD|"
    r"PAT|CREDENTIALS?|AUTH_?KEY)(?:$|_(?:ID|BASE64|B64)$)|(?i:^NPM_AUTH|^GH_PAT)"
)
# In names, these turn a secret into a place, a switch or a limit.
_HARMLESS_NAME = (
    r"(?i)(?:FILE|PATH|URL|URI|HOST|NAME|LENGTH|EXPIR|TTL|LIMIT|MAX|TYPE|ISSUER|PUBLIC)"
)
_PLACEHOLDER = (
    r"(?i)example|change.?me|your[-_]|replace|placeholder|dummy|sample|insecure|not.?a.?secret|"
    r"localhost|^x+$|^<.*>$|^\$|todo|fake|^test|^dev"
)


def literal_token(text: str) -> str:
    """The kind of a token that is written out in `text`, '' if there is none."""
    for kind, pattern in _TOKENS:
        found = re.search(pattern, text)
        if found and not re.search(r"(?i)example|x{6}|0{8}|1234567", found[0]):
            return kind
    return ""


def secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret."""
    return re.search(_NAME, name) is not None and re.search(_HARMLESS_NAME, name) is None


def is_placeholder(value: str) -> bool:
    return re.search(_PLACEHOLDER, value) is not None


def looks_random(value: str) -> bool:
    """Long, without blanks, of letters and digits: not something that a person made up."""
    return (
        len(value) >= 20
        and re.fullmatch(r"[A-Za-z0-9+/=_.:-]+", value) is not None
        and sum(char.isdigit() for char in value) >= 3
        and len(set(value)) >= 12
        and not is_placeholder(value)
    )
