"""docs/configuration.md, from the same table as the JSON schema."""

from __future__ import annotations

from sandboxd.config import keys
from sandboxd.config.key import TEXTS, Key, Table

_HEAD = """# sandboxd.toml

One small file at the root of a project says what the project asks for; `sandboxd init` writes a
first one. Every key may be left out. A key that is not known, or a value that cannot be, refuses the
whole file: a misspelt restriction must not silently be none. `sandboxd check` says where.

A project asks, it does not decide: its [profile](profiles.md), this host and a policy
(`sandboxd policy show`) can each only take away. `sandboxd explain-plan` says what follows and why.

A program that edits TOML by a schema takes [sandboxd.schema.json](sandboxd.schema.json), which
`sandboxd schema` prints, too. For Taplo, in `.taplo.toml`:

```toml
[[rule]]
include = ["**/sandboxd.toml"]

[rule.schema]
path = "sandboxd.schema.json"
```

"""


def page() -> str:
    """Everything at a glance as one file, then each key."""
    tables = keys.tables()
    whole = "\n".join(_example(table) for table in tables)
    parts = [_HEAD, f"## All keys at once\n\n```toml\n{whole}```\n"]
    for table in tables:
        parts.append(f"\n## {_title(table)}\n\n{table.meaning}.\n")
        parts += [_key(table, key) for key in table.keys]
    return "".join(parts)


def _title(table: Table) -> str:
    return f"`{table.heading}`" if table.heading else "Top level"


def _example(table: Table) -> str:
    head = f"{table.heading}\n" if table.heading else ""
    return head + "".join(_line(key) + "\n" for key in table.keys)


def _line(key: Key) -> str:
    return key.example if key.name == "*" else f"{key.name} = {key.example}"


def _key(table: Table, key: Key) -> str:
    name = f"`{key.name}`"
    if table.is_open:
        name = "the id of a [rule](rules/README.md)" if table.name == "rules" else "any name"
    rows = [
        f"- type: {key.type}",
        f"- default: {key.default}" if key.default else "- must be there",
        f"- example: `{_line(key)}`",
    ]
    if key.choices:
        each = "each one of" if key.type == TEXTS else "one of"
        rows.insert(1, f"- {each}: " + ", ".join(f"`{choice}`" for choice in key.choices))
    if key.limits:
        rows.append(f"- limits: {key.limits}")
    return f"\n### {name}\n\n{key.meaning}.\n\n" + "\n".join(rows) + "\n"
