"""Events at which agents run a hook, as several of them name them, and what every command matches."""

from __future__ import annotations

OCCASIONS = {
    "SessionStart": "when a session starts",
    "SessionEnd": "when a session ends",
    "UserPromptSubmit": "with each prompt",
    "UserPromptSubmitted": "with each prompt",
    "PreToolUse": "before each use of a tool",
    "PostToolUse": "after each use of a tool",
    "PreCompact": "before the conversation is compacted",
    "SubagentStart": "when a subagent starts",
    "SubagentStop": "when a subagent ends",
    "Stop": "when an answer ends",
    "AgentStop": "when an answer ends",
    "ErrorOccurred": "after an error",
}
OCCASIONS |= {name[0].lower() + name[1:]: occasion for name, occasion in OCCASIONS.items()}

EVERY_COMMAND = ("Bash", "Bash(*)", "Bash(:*)", "Bash(**)", "PowerShell", "PowerShell(*)", "*")
"""Permissions of Claude Code that fit each shell command."""
