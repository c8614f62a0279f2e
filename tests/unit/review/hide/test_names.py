"""Which names say that a file holds secrets."""

from __future__ import annotations

import pytest

from sandboxd.review.hide.names import secret_by_name


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".ENV",
        ".env.local",
        "prod.env",
        "a/b/.env",
        ".env~",
        ".env.swp",
        "#.env#",
        ".#.env",
        ".id_rsa.swp",
        "id_rsa.bak",
        "id_rsa.bak~",
        "keys/ID_ED25519",
        ".aws/credentials.old",
        ".ssh",
        ".config/gh",
        ".netrc",
        "terraform.tfstate.backup",
        "\uff0eenv",
        ".e\u200bnv",
        ".env ",
        ".env:stream",
    ],
)
def test_a_secret_is_known_by_its_name(path: str) -> None:
    parts = path.split("/")
    assert any(secret_by_name("/".join(parts[: n + 1])) for n in range(len(parts)))


@pytest.mark.parametrize(
    "path",
    [
        ".env.example",
        ".env.SAMPLE",
        "secrets.yaml.template",
        "environment.py",
        "main.py",
        "node_modules",
        ".venv",
        ".gradle",
        ".cargo/config.toml",
        ".m2/settings.xml",
        ".bundle/config",
        ".claude",
        "id_rsa.pub",
        "~",
        "keyboard.c",
    ],
)
def test_what_a_build_needs_is_no_secret(path: str) -> None:
    parts = path.split("/")
    assert not any(secret_by_name("/".join(parts[: n + 1])) for n in range(len(parts)))
