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

REFUSING = frozenset(
    {
        *("PreToolUse", "preToolUse", "PermissionRequest", "UserPromptSubmit"),
        *("beforeShellExecution", "beforeMCPExecution", "beforeReadFile", "beforeTabFileRead"),
        *("beforeSubmitPrompt", "BeforeTool", "BeforeAgent", "BeforeModel"),
    }
)
"""Events at which the answer of a hook may keep the agent from something.

Sources: https://code.claude.com/docs/en/hooks, https://cursor.com/docs/agent/hooks, https://geminicli.com/docs/hooks/,
https://docs.github.com/en/copilot/reference/hooks-configuration."""

EVERY_COMMAND = ("Bash", "Bash(*)", "Bash(:*)", "Bash(**)", "PowerShell", "PowerShell(*)", "*")
"""Permissions of Claude Code that fit each shell command."""
