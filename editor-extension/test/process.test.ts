import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_OUTPUT, run } from '../src/process';

const cwd = process.cwd();

function node(script: string, options: Partial<Parameters<typeof run>[2]> = {}): ReturnType<typeof run> {
    return run(process.execPath, ['-e', script], { cwd, ...options });
}

test('what is too much to keep is said', async () => {
    const most = await node(`const line = 'x'.repeat(1 << 20); for (let n = 0; n < 31; n += 1) console.log(line)`);
    assert.deepEqual([most.overflowed, most.stdout.length > 31 << 20], [false, true]);
    const more = await node(`const line = 'x'.repeat(1 << 20); for (let n = 0; n < 33; n += 1) console.log(line)`);
    assert.equal(more.overflowed, true);
    assert.ok(more.stdout.length <= MOST_OUTPUT);
});

test('a line that never ends is handed on in pieces', async () => {
    const pieces: string[] = [];
    const ended = await node(`process.stdout.write('x'.repeat(1 << 20)); process.stderr.write('e')`, { onText: (text) => pieces.push(text) });
    assert.ok(pieces.length > 2);
    assert.equal(pieces.join('').length, (1 << 20) + 1);
    assert.equal(ended.stdout, '');
});

test('a program reads what it is given, and nothing without', async () => {
    const echo = 'process.stdin.pipe(process.stdout)';
    assert.equal((await node(echo, { input: 'a\0b' })).stdout, 'a\0b');
    assert.equal((await node(echo)).stdout, '');
    // One that reads nothing does not fail the run.
    assert.equal((await node('process.exit(3)', { input: 'x'.repeat(1 << 20) })).code, 3);
});
