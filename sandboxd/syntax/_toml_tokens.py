"""The tokens of TOML."""

from __future__ import annotations

import re

KEY_PART = re.compile(r"""[A-Za-z0-9_-]++|"(?:[^"\\\r\n]++|\\[^\r\n])*+"|'[^'\r\n]*+'""")
DOT = re.compile(r"[ \t]*+\.[ \t]*+")
BLANK = re.compile(r"[ \t]*+")
SPACE = re.compile(r"[ \t\r\n]*+")
BLANK_LINES = re.compile(r"(?:[ \t]*+(?:\r?\n|\r))*+")
COMMENT = re.compile(r"#[^\r\n]*+")
REST = re.compile(r"[^\r\n]*+")
GARBAGE = re.compile(r"[^#\r\n]*+")
TOKEN = re.compile(
    r"""[ \t]*+(?:
      ("{3}|'{3})
    | ("(?:[^"\\\r\n]++|\\[^\r\n])*+"|'[^'\r\n]*+')
    | ([\[\]{},=])
    | (\r?\n|\r)
    | (\#[^\r\n]*+)
    | ([0-9]{4}-[0-9]{2}-[0-9]{2}[ ][0-9]{2}:[^\s"'\#\[\]{},=]*+|[^\s"'\#\[\]{},=]++)
    | (["'][^\r\n]*+)
    | (.)
    )""",
    re.VERBOSE | re.DOTALL,
)
LONG, STRING, MARK, LINE_END, NOTE, WORD, OPEN_STRING = range(1, 8)
LONG_STRING = {
    '"""': re.compile(r'"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}', re.DOTALL),
    "'''": re.compile(r"'''(?:[^']++|'(?!''))*+'{3,5}"),
}
# A line within an open list that can only be the next setting or the next header.
NEXT_STATEMENT = re.compile(
    r"""[ \t]*+(?:
      (?:[A-Za-z0-9_-]++|"[^"\r\n]*+"|'[^'\r\n]*+')
      (?:[ \t]*+\.[ \t]*+(?:[A-Za-z0-9_-]++|"[^"\r\n]*+"|'[^'\r\n]*+'))*+ [ \t]*+ =
    | \[\[?(?!(?:true|false|inf|nan)\b)[A-Za-z_][A-Za-z0-9_.-]*+\]\]?[ \t]*+(?:[\r\n\#]|\Z)
    )""",
    re.VERBOSE,
)
CONTINUES = re.compile(r"[ \t\r\n]*+[},]")
