"""One run each of what the house is judged by, traced: `python -m tools.house.runs NAME`, which prints its calls as JSON.

It is a process of its own, so that nothing is imported or remembered from another run. The caller gives it the
home, the engine or the cluster by the environment, and the project as the working folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from tools.house.trace import Trace

UP, KEYSTROKE, UP_ON = "up", "keystroke", "up-on"
_COMMANDS = {UP: ["up", "--no-daemon"], UP_ON: ["up", "--on", "test"]}


def main() -> int:
    """Do the run; exit 1 where the command failed, whose words are on stderr."""
    name = sys.argv[1]
    trace = Trace()
    code = 0
    with contextlib.redirect_stdout(sys.stderr):
        if name == KEYSTROKE:
            asyncio.run(_keystroke(trace))
        else:
            sys.argv[1:] = _COMMANDS[name]
            from sandboxd.__main__ import main as command

            with trace:
                code = command()
    print(json.dumps(sorted(trace.calls)))
    return 1 if code else 0


async def _keystroke(trace: Trace) -> None:
    """The second change of a file that is open, up to the message that has its findings."""
    from tests.patience import until
    from tests.unit.lsp.talk import Client

    client = Client(environ=dict(os.environ))
    uri = "file:///nowhere/.devcontainer/devcontainer.json"
    text = '{\n  "image": "debian:13",\n  "privileged": true%s\n}\n'
    client.open(uri, text % "")

    async def published(version: int) -> None:
        def has_come() -> bool:
            return any(params.get("version") == version for params in client.published(uri))

        await until(has_come, lambda: client.messages)

    await published(1)
    client.change(uri, text % ",", 2)
    await published(2)
    # A thread that is there already would not be followed.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
    with trace:
        client.change(uri, text % ', "capAdd": ["SYS_ADMIN"]', 3)
        await published(3)


if __name__ == "__main__":
    sys.exit(main())
