"""Files of AI agents on a host: those that they obey, and those that hold their logins, hooks and caches.

Made by `./dev docs` from the table `host` in `agents/shipped/*.toml` and `agents/others/*.toml`.
"""

from __future__ import annotations

# fmt: off
PROJECT: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("https://aider.chat/docs/config/aider_conf.html", (".aider.conf.yml", ".aider.*")),
    ("https://docs.anthropic.com/en/docs/claude-code/settings", (".claude", "CLAUDE.md", "CLAUDE.local.md", ".claude.json")),
    ("https://developers.openai.com/codex/config-reference", (".codex",)),
    ("https://github.com/google-gemini/gemini-cli/blob/main/docs/cli/configuration.md", (".gemini", "GEMINI.md", ".geminiignore")),
    ("https://opencode.ai/docs/config/", (".opencode", "opencode.json", "opencode.jsonc")),
    ("https://agents.md/", ("AGENTS.md", "AGENT.md", "AGENTS.override.md", "AGENTS.local.md", ".agents")),
    ("https://docs.aws.amazon.com/amazonq/latest/qdeveloper-ug/command-line-project-rules.html", (".amazonq",)),
    ("https://ampcode.com/manual", (".amp",)),
    ("https://docs.augmentcode.com/setup-augment/guidelines", (".augment", ".augment-guidelines")),
    ("https://docs.cline.bot/features/cline-rules", (".clinerules", ".cline")),
    ("https://docs.continue.dev/reference", (".continue", ".continuerc.json")),
    ("https://github.com/charmbracelet/crush#configuration", (".crush.json", "crush.json", "CRUSH.md", "CRUSH.local.md")),
    ("https://docs.cursor.com/context/rules", (".cursor", ".cursorrules")),
    ("https://docs.factory.ai/cli/configuration/settings", (".factory",)),
    ("https://block.github.io/goose/docs/guides/using-goosehints", (".goosehints", ".goose")),
    ("https://www.jetbrains.com/help/junie/customize-guidelines.html", (".junie",)),
    ("https://kiro.dev/docs/steering/", (".kiro",)),
    ("https://qwenlm.github.io/qwen-code-docs/", (".qwen", "QWEN.md")),
    ("https://docs.roocode.com/features/custom-instructions", (".roo", ".roorules", ".roomodes", ".roorules-*")),
    ("https://docs.trae.ai/ide/rules-for-ai", (".trae",)),
    ("https://docs.warp.dev/features/warp-drive/rules", ("WARP.md",)),
    ("https://docs.windsurf.com/windsurf/cascade/memories", (".windsurf", ".windsurfrules")),
)
"""(source, names) of the files of a project that make an agent act, as `policy/acts_on_host_table` has them."""
STUBS: tuple[str, ...] = (".claude", ".cursor")
"""Folders among them that mean nothing when they are empty."""
INSTRUCTIONS: tuple[str, ...] = ("claude.md", "claude.local.md", "gemini.md", "agents.md", "agent.md", ".clinerules", "copilot-instructions.md", ".cursorrules", ".goosehints", "qwen.md", "warp.md", ".windsurfrules")
"""Texts that an agent follows, in small letters."""
DEFINITIONS: tuple[str, ...] = (".claude/", ".codex/", ".gemini/", ".opencode/", ".agents/", ".github/", ".cursor/")
"""Folders of a project in which agents, commands and skills are defined."""
SERVERS: dict[str, str] = {".cursor": "Cursor", ".kiro": "Kiro", ".roo": "Roo Code"}
"""Folder of a project -> the agent that starts the MCP servers of its `mcp.json`."""
LOGINS: tuple[str, ...] = (".claude", ".claude.json", ".codex", ".gemini", ".local/share/opencode", ".continue", ".copilot", ".config/github-copilot", ".cursor", ".config/goose", ".qwen", ".codeium")
"""Places of an agent's login, below the home."""
STARTUP: tuple[str, ...] = (".claude", ".claude.json", ".codex", ".gemini", ".config/opencode", ".cursor")
"""Places below the home whose hooks and MCP servers are commands."""
CACHES: tuple[str, ...] = (".cursor/extensions",)
"""Places in those of a login that hold no secret."""
VARIABLES: dict[str, str] = {"CLAUDE_CONFIG_DIR": "~/.claude", "CODEX_HOME": "~/.codex"}
"""Variable of a host -> the place that it names by default."""
