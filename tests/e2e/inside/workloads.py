"""Daily work, each piece as its own program; prints what became of each as one line of JSON.

Runs inside a sandbox, as its first process, so that gVisor's filter is on for all of it.
"""

import json
import os
import subprocess
import sys
import tempfile

PYTHON = {
    "python-threads": """
import threading, queue
q = queue.Queue()
ts = [threading.Thread(target=q.put, args=(i,)) for i in range(8)]
[t.start() for t in ts]; [t.join() for t in ts]
assert q.qsize() == 8
""",
    "python-sleep": "import time; time.sleep(0.01)",
    "python-asyncio": """
import asyncio
async def main():
    async def answer(r, w):
        w.write(await r.readline()); await w.drain(); w.close()
    server = await asyncio.start_server(answer, '127.0.0.1', 0)
    r, w = await asyncio.open_connection(*server.sockets[0].getsockname())
    w.write(b'hello\\n'); assert await r.readline() == b'hello\\n'
    p = await asyncio.create_subprocess_exec('true'); assert await p.wait() == 0
asyncio.run(main())
""",
    "python-subprocess": "import subprocess; assert subprocess.check_output(['echo', 'x']) == b'x\\n'",
    "python-multiprocessing": """
import multiprocessing as m
def f(x): return x * x
if __name__ == '__main__':
    with m.get_context('fork').Pool(2) as p: assert p.map(f, range(4)) == [0, 1, 4, 9]
""",
    "python-sqlite": """
import sqlite3
c = sqlite3.connect('x.db'); c.execute('pragma journal_mode=wal')
c.execute('create table t(a)'); c.execute('insert into t values(1)'); c.commit()
""",
    "python-shutil": """
import os, shutil
os.makedirs('a/b'); open('a/b/c', 'w').write('x'); shutil.copytree('a', 'd'); shutil.rmtree('a')
os.chmod('d/b/c', 0o600); os.rename('d', 'e')
""",
    "inotify": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(0); assert fd >= 0, ctypes.get_errno()
assert libc.inotify_add_watch(fd, b'.', 0x100) >= 0, ctypes.get_errno()
open('new', 'w').close(); assert b'new' in os.read(fd, 4096)
""",
    "debugger-attach": """
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
child = os.fork()
if not child: time.sleep(20)
try:
    assert libc.ptrace(16, child, 0, 0) == 0, ctypes.get_errno()
    os.waitpid(child, 0); assert libc.ptrace(17, child, 0, 0) == 0
finally:
    os.kill(child, 9)
""",
}
NODE = {
    "node-http": """
const http = require('http');
const s = http.createServer((q, r) => r.end('ok')).listen(0, '127.0.0.1', () =>
  http.get({port: s.address().port, host: '127.0.0.1'}, r => { r.resume(); r.on('end', () => s.close()); }));
""",
    "node-worker-threads": """
const { Worker } = require('worker_threads');
new Worker("require('worker_threads').parentPort.postMessage(1)", {eval: true}).on('message', m => process.exit(m === 1 ? 0 : 1));
""",
    "node-fs-watch": """
const fs = require('fs');
const w = fs.watch('.', () => { w.close(); process.exit(0); });
setTimeout(() => fs.writeFileSync('x', 'y'), 50); setTimeout(() => process.exit(1), 5000);
""",
    "node-spawn": "if (require('child_process').execSync('echo x').toString() !== 'x\\n') process.exit(1)",
    "node-copy": "const fs = require('fs'); fs.mkdirSync('a'); fs.writeFileSync('a/b', 'x'); fs.cpSync('a', 'c', {recursive: true})",
}
GIT = "git -c user.name=a -c user.email=a@b -c init.defaultBranch=main"
SHELL = {
    "git-commit": f"{GIT} init -q r && cd r && echo x > f && {GIT} add f && {GIT} commit -qm x",
    "git-clone": f"{GIT} init -q r && {GIT} -C r commit -q --allow-empty -m x && {GIT} clone -q r s",
    "tar": "mkdir a && echo x > a/b && tar -cf a.tar a && rm -r a && tar -xf a.tar && cat a/b",
    "gzip": "head -c 100000 /dev/urandom > x && gzip x && gzip -d x.gz",
    "coreutils": "cp /etc/passwd p; mv p q; chmod -R u+w .; find . -name q | xargs cat | sort | wc -l; ls -la; sync q",
    "c-compile": "printf '#include <stdio.h>\\nint main(void){puts(\"hi\");return 0;}' > m.c && gcc -fno-use-linker-plugin m.c -o m && ./m",
    "apt-metadata": "apt-cache policy bash | grep -q Installed",
    "strace": "strace -f -o /dev/null true",
    "gdb": "gdb -nx -batch -ex run -ex 'print 1+1' --args /usr/bin/true 2>&1 | grep -q 'exited normally'",
}
NEEDS = {"c-compile": "gcc", "apt-metadata": "apt-cache", "strace": "strace", "gdb": "gdb"}


def run(command: list[str], folder: str) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=20,
            env={**os.environ, "HOME": folder},
        )
    except subprocess.TimeoutExpired:
        return "no answer in 20 s"
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return ""
    return f"exit code {done.returncode}: " + done.stdout.decode("utf-8", "replace")[-300:]


def main() -> None:
    known = set(sys.argv[1:])
    commands = {name: ["python3", "-c", code] for name, code in PYTHON.items()}
    commands.update({name: ["node", "-e", code] for name, code in NODE.items()})
    commands.update({name: ["bash", "-ec", code] for name, code in SHELL.items()})
    outcomes = {}
    for name, command in commands.items():
        if NEEDS.get(name, command[0]) in known:
            with tempfile.TemporaryDirectory(dir="/tmp") as folder:
                outcomes[name] = run(command, folder)
    print(json.dumps(outcomes))


main()
