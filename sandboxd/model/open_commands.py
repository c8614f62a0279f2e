"""Commands that run whatever arguments name: an agent that may run one of them without asking may run any command."""

from __future__ import annotations

# fmt: off
_RUNS_ANYTHING = frozenset({
    # Shells, and programs that start what they are given.
    "bash", "sh", "zsh", "dash", "fish", "pwsh", "powershell", "cmd", "bash -c", "sh -c", "zsh -c", "cmd /c",
    "powershell -Command", "pwsh -Command", "eval", "env", "exec", "xargs", "nohup", "timeout", "source", "script",
    "parallel", "expect", "osascript", "crontab", "systemd-run",
    # With the rights of others, or on another machine.
    "sudo", "doas", "su", "ssh", "nsenter", "chroot",
    # Languages.
    "python", "python3", "python -c", "python3 -c", "python -m", "python3 -m", "node", "node -e", "node --eval",
    "deno", "deno run", "deno eval", "bun", "bun -e", "ruby", "ruby -e", "perl", "perl -e", "php", "php -r",
    "awk", "gawk", "lua", "Rscript -e", "tsx", "ts-node", "go run",
    # Packages of others, fetched and run.
    "npx", "bunx", "bun x", "pnpx", "uvx", "pipx", "pipx run", "npm exec", "npm x", "pnpm dlx", "pnpm exec",
    "yarn dlx", "yarn exec", "uv run", "uv tool run", "uv run python", "poetry run", "poetry run python",
    "pipenv run", "nix run", "nix-shell",
    # Containers with any mount, and shells in them.
    "docker", "docker run", "docker exec", "docker compose", "docker compose run", "docker compose exec",
    "docker-compose", "docker-compose run", "docker-compose exec", "podman", "podman run", "podman exec", "nerdctl",
    "nerdctl run", "kubectl exec", "kubectl run",
    # Sets programs that later commands start.
    "git config", "git -c",
})
# fmt: on


def effect(command: str) -> str:
    """The predicate of a finding about an agent that may run `command` with any arguments; '' if that is harmless."""
    return f"runs any command behind `{command}` without asking" if runs_anything(command) else ""


def runs_anything(command: str) -> bool:
    """Whether a command, if any arguments may follow it, can run every other command, or make a later one do so."""
    return " ".join(command.split()) in _RUNS_ANYTHING
