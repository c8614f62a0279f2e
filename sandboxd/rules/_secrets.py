"""Recognises secrets: tokens of a known form, names that say secret, values that look random."""

from __future__ import annotations

import re

# The first that fits names the token. `tests/rules/lists/tokens.toml` has the source of each.
TOKENS = (
    ("a GitHub token", r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{60,}"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20}"),
    ("an AWS key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("a Slack token", r"\bxox[abprs]-[A-Za-z0-9-]{20,}"),
    (
        "a Slack webhook",
        r"\bhooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,}",
    ),
    ("an Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{24,}"),
    ("an OpenAI key", r"\bsk-(?:proj-)?[A-Za-z0-9_-]{32,}"),
    ("a Groq key", r"\bgsk_[A-Za-z0-9]{40,}"),
    ("a Google key", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("a Stripe key", r"\b[sr]k_live_[A-Za-z0-9]{20,}"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}"),
    ("a PyPI token", r"\bpypi-[A-Za-z0-9_-]{60,}"),
    ("a RubyGems key", r"\brubygems_[a-f0-9]{48}"),
    ("a Docker token", r"\bdckr_pat_[A-Za-z0-9_-]{27}"),
    ("a Hugging Face token", r"\bhf_[A-Za-z0-9]{30,}"),
    ("a SendGrid key", r"\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"),
    ("a DigitalOcean token", r"\bdo[opr]_v1_[a-f0-9]{64}"),
    ("a Supabase token", r"\bsbp_[a-f0-9]{40}"),
    ("a Vault token", r"\bhv[sb]\.[A-Za-z0-9_-]{24,}"),
    ("a Databricks token", r"\bdapi[a-f0-9]{32}"),
    ("a Pulumi token", r"\bpul-[a-f0-9]{40}"),
    ("a Tailscale key", r"\btskey-[a-z]+-[A-Za-z0-9]+-[A-Za-z0-9]{20,}"),
    ("a Shopify token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("an Atlassian token", r"\bATATT3[A-Za-z0-9_=-]{50,}"),
    ("a Linear key", r"\blin_api_[A-Za-z0-9]{40}"),
    ("an age key", r"\bAGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
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
    """The kind of a token that `text` contains (``a GitHub token``); '' if there is none."""
    for kind, pattern in TOKENS:
        match = re.search(pattern, text)
        if match and not re.search(r"(?i)example|x{6}|0{8}|1234567", match[0]):
            return kind
    return ""


def secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret."""
    return re.search(_NAME, name) is not None and re.search(_HARMLESS_NAME, name) is None


def is_placeholder(value: str) -> bool:
    """Whether a value only fills the place: a word that says so, or a few characters repeated."""
    return (
        re.search(_PLACEHOLDER, value) is not None
        or re.fullmatch(r"(.{1,16}?)\1+", value) is not None
    )


def looks_random(value: str) -> bool:
    """Whether a value is long, of letters and digits without blanks: not made up by a person."""
    return (
        len(value) >= 20
        and re.fullmatch(r"[A-Za-z0-9+/=_.:-]+", value) is not None
        and sum(char.isdigit() for char in value) >= 3
        and len(set(value)) >= 12
        and not is_placeholder(value)
    )
