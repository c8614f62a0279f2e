"""Variables that make programs load code which the variable names."""

from __future__ import annotations

import re

_ALWAYS = (
    "LD_PRELOAD",
    "LD_AUDIT",
    "DYLD_INSERT_LIBRARIES",
    "BASH_ENV",
    "ENV",
    "PYTHONSTARTUP",
    "PERL5OPT",
    "RUBYOPT",
    "GIT_SSH_COMMAND",
    "PROMPT_COMMAND",
)
_CODE = {
    "NODE_OPTIONS": r"--(?:require|import|loader|experimental-loader)\b|(?:^|\s)-r\s",
    "JAVA_TOOL_OPTIONS": r"-(?:javaagent|agentpath|agentlib)",
    "_JAVA_OPTIONS": r"-(?:javaagent|agentpath|agentlib)",
}


def loads_code(name: str, text: str) -> bool:
    """Whether the variable `name` with this text makes programs load foreign code."""
    pattern = _CODE.get(name)
    if not text or (name not in _ALWAYS and (not pattern or not re.search(pattern, text))):
        return False
    return name != "ENV" or "/" in text
