"""Recognises secrets: tokens of a known form, names that say secret, values that look random."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Name, form, and texts of which one is in every token of the form. The first that fits names the token.
# `tests/rules/lists/tokens.toml` has the source of each.
TOKENS = (
    (
        "a GitHub token",
        r"\b(?:ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{60,}",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    ),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20}", ("glpat-",)),
    ("an AWS key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", ("AKIA", "ASIA")),
    ("a Slack token", r"\bxox[abprs]-[A-Za-z0-9-]{20,}", ("xox",)),
    (
        "a Slack webhook",
        r"\bhooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,}",
        ("hooks.slack.com",),
    ),
    ("an Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{24,}", ("sk-ant-",)),
    ("an OpenAI key", r"\bsk-(?:proj-)?[A-Za-z0-9_-]{32,}", ("sk-",)),
    ("a Groq key", r"\bgsk_[A-Za-z0-9]{40,}", ("gsk_",)),
    ("a Google key", r"\bAIza[A-Za-z0-9_-]{35}", ("AIza",)),
    ("a Stripe key", r"\b[sr]k_live_[A-Za-z0-9]{20,}", ("k_live_",)),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}", ("npm_",)),
    ("a PyPI token", r"\bpypi-[A-Za-z0-9_-]{60,}", ("pypi-",)),
    ("a RubyGems key", r"\brubygems_[a-f0-9]{48}", ("rubygems_",)),
    ("a Docker token", r"\bdckr_pat_[A-Za-z0-9_-]{27}", ("dckr_pat_",)),
    ("a Hugging Face token", r"\bhf_[A-Za-z0-9]{30,}", ("hf_",)),
    ("a SendGrid key", r"\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}", ("SG.",)),
    ("a DigitalOcean token", r"\bdo[opr]_v1_[a-f0-9]{64}", ("doo_v1_", "dop_v1_", "dor_v1_")),
    ("a Supabase token", r"\bsbp_[a-f0-9]{40}", ("sbp_",)),
    ("a Vault token", r"\bhv[sb]\.[A-Za-z0-9_-]{24,}", ("hvs.", "hvb.")),
    ("a Databricks token", r"\bdapi[a-f0-9]{32}", ("dapi",)),
    ("a Pulumi token", r"\bpul-[a-f0-9]{40}", ("pul-",)),
    ("a Tailscale key", r"\btskey-[a-z]+-[A-Za-z0-9]+-[A-Za-z0-9]{20,}", ("tskey-",)),
    (
        "a Shopify token",
        r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
        ("shpat_", "shpca_", "shppa_", "shpss_"),
    ),
    ("an Atlassian token", r"\bATATT3[A-Za-z0-9_=-]{50,}", ("ATATT3",)),
    ("a Linear key", r"\blin_api_[A-Za-z0-9]{40}", ("lin_api_",)),
    ("an age key", r"\bAGE-SECRET-KEY-1[0-9A-Z]{50,}", ("AGE-SECRET-KEY-",)),
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----", ("PRIVATE KEY-----",)),
)
_NAME = (
    r"(?i)(?:^|_)(?:TOKEN|SECRET|API_?KEY|ACCESS_?KEY|SECRET_?KEY|PRIVATE_?KEY|PASSWORD|PASSWD|"
    r"PAT|CREDENTIALS?|(?:AUTH|ENCRYPTION|SIGNING|MASTER|COOKIE|SESSION)_?KEY)"
    r"(?:$|_(?:ID|BASE64|B64|BASE|ALLOWED_KEYS)$)|(?i:^NPM_AUTH|^GH_PAT|^APP_KEY$)"
)
# In names, these turn a secret into a place, a switch or a limit.
_HARMLESS_NAME = (
    r"(?i)(?:FILE|PATH|URL|URI|HOST|NAME|LENGTH|EXPIR|TTL|LIMIT|MAX|TYPE|ISSUER|PUBLIC)"
)
_LONGEST_UNIT = 16
"""Characters that are repeated to fill a place: more than anybody repeats."""
_PLACEHOLDER = (
    r"(?i)example|change.?me|your[-_]|replace|placeholder|dummy|sample|insecure|not.?a.?secret|"
    r"localhost|^x+$|^<.*>$|^\$|todo|fake|^test|^dev"
)


def literal_token(text: str) -> str:
    """The kind of a token that `text` contains (``a GitHub token``); '' if there is none."""
    for kind, pattern, marks in TOKENS:
        # A form is only compiled where it can fit.
        match = re.search(pattern, text) if any(mark in text for mark in marks) else None
        if match and not is_example(match[0]):
            return kind
    return ""


def tokens_in(text: str) -> Iterator[tuple[str, int, int]]:
    """The kind, start and end of each token of a known form in a long text."""
    for kind, pattern, marks in TOKENS:
        if any(mark in text for mark in marks):
            for match in re.finditer(pattern, text):
                if not is_example(match[0]):
                    yield kind, *match.span()


def is_example(token: str) -> bool:
    """Whether a token of a known form stands in a text as an example of that form."""
    return re.search(r"(?i)example|x{6}|0{8}|1234567", token) is not None


def secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret."""
    return re.search(_NAME, name) is not None and re.search(_HARMLESS_NAME, name) is None


def is_placeholder(value: str) -> bool:
    """Whether a value only fills the place: a word that says so, or a few characters repeated."""
    return re.search(_PLACEHOLDER, value) is not None or any(
        _repeats(value, size) for size in range(1, _LONGEST_UNIT + 1)
    )


def _repeats(value: str, size: int) -> bool:
    """Whether a value of one line is its first `size` characters again and again."""
    times, rest = divmod(len(value), size)
    return not rest and times > 1 and "\n" not in value and value == value[:size] * times


def looks_random(value: str) -> bool:
    """Whether a value is long, of letters and digits without blanks: not made up by a person."""
    return (
        len(value) >= 20
        and re.fullmatch(r"[A-Za-z0-9+/=_.:-]+", value) is not None
        and sum(char.isdigit() for char in value) >= 3
        and len(set(value)) >= 12
        and not is_placeholder(value)
    )


def looks_generated(password: str) -> bool:
    """Whether a password mixes small and large letters and digits as nobody does who has to remember it."""
    # Late: few texts have a password in a URL.
    from itertools import pairwise

    kinds = ["A" if char.isupper() else "a" if char.islower() else "0" for char in password]
    changes = sum(one != other for one, other in pairwise(kinds))
    return (
        len(password) >= 12
        and len(set(kinds)) == 3
        and changes * 2 >= len(password)
        and not is_placeholder(password)
    )
