"""Clients of what a sandbox was given: for each line that is read, one line that says what each of them met.

The argument is JSON: the words of a shell by the name of each client. All of them run at once. A line of the output is
JSON, too: by the same names the exit code, and what was printed.
"""

import json
import subprocess
import sys

CLIENTS = json.loads(sys.argv[1])

for _line in sys.stdin:
    running = {
        name: subprocess.Popen(
            ["timeout", "30", "sh", "-c", words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name, words in CLIENTS.items()
    }
    met = {
        name: (process.communicate()[0], process.returncode) for name, process in running.items()
    }
    print(json.dumps({name: [code, text[-300:]] for name, (text, code) in met.items()}), flush=True)
