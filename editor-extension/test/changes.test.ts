import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameFor, parseListed, starting, stateOf, type Session } from '../src/agents/model';
import { applying, Choice, groupOf, GROUPS, type Change, type Review } from '../src/changes/model';

function change(path: string, changes: Partial<Change> = {}): Change {
    return {
        path, kind: 'changed', by_itself: true, added: 1, removed: 0, blocked: null, control: null, remarks: [], shown: true, old: '', new: 'x', ...changes,
    };
}

function review(...changes: Change[]): Review {
    return { version: 1, copy: true, ended_seconds: null, digest: 'd1', changes, commits: false, not_looked_at: null };
}

const MARKED = change('.github/x.yml', { by_itself: false, control: 'CI' });
const GONE = change('gone.txt', { by_itself: false, kind: 'deleted' });
const LINK = change('link', { by_itself: false, blocked: 'a symbolic link out of the workspace' });

test('what acts on this machine, and what was deleted, is not chosen by itself', () => {
    const choice = new Choice(review(change('a'), MARKED, GONE, LINK));
    assert.deepEqual(choice.changes.map(({ path }) => path), ['a']);
    assert.deepEqual(GROUPS.map((group) => choice.of(group).map(({ path }) => path)), [['.github/x.yml'], ['a'], ['gone.txt'], ['link']]);
    assert.equal(groupOf(change('x', { control: 'CI', blocked: 'too large' })), 'not brought');
});

test('a text that there was no room to show is not chosen by itself', () => {
    const withheld = change('a', { shown: false, old: null, new: null });
    const image = change('b.png', { shown: false, added: null, removed: null, old: null, new: null });
    const choice = new Choice(review(withheld, image));
    assert.deepEqual(choice.changes, [image]);
    choice.set([withheld], true);
    assert.deepEqual(choice.changes, [withheld, image]);
});

test('what is never brought cannot be chosen', () => {
    const choice = new Choice(review(LINK, GONE));
    choice.set([LINK, GONE], true);
    assert.deepEqual([choice.has(LINK), choice.deletions], [false, 1]);
    choice.set([GONE], false);
    assert.equal(choice.deletions, 0);
});

test('what is chosen is brought as it was shown, whatever its names are', () => {
    const choice = new Choice(review(change('--yes'), change('a\nb'), GONE));
    assert.deepEqual(applying({ folder: '/p', name: '' }, choice), {
        args: ['review', '--apply', '--stat', '--yes', '--expect', 'd1', '--only', '-'],
        input: '--yes\0a\nb\0',
    });
    choice.set([GONE], true);
    const { args } = applying({ folder: '/p', name: 'login' }, choice);
    assert.deepEqual(args.slice(0, 3), ['review', '--name', 'login']);
    assert.equal(args[args.indexOf('--deletions') + 1], '1');
});

function session(changes: Partial<Session> = {}): Session {
    return { name: 'claude', agent: 'claude', since: null, state: 'running', denied: null, ...changes };
}

test('a session is said to be at work only where that was seen', () => {
    assert.equal(stateOf(session({ since: 1000 }), 1000 + 61 * 60), 'at work for 1 h 1 min');
    assert.equal(stateOf(session(), 0), 'ended, its sandbox runs');
    assert.equal(stateOf(session({ state: 'unknown' }), 0), 'its sandbox could not be asked');
    assert.equal(stateOf(session({ state: 'exited' }), 0), 'ended, its sandbox is exited');
});

test('one more agent beside one at work has a name of its own', () => {
    assert.equal(nameFor('claude', []), 'claude');
    assert.equal(nameFor('claude', [session()]), 'claude');
    assert.equal(nameFor('claude', [session({ since: 1 }), session({ name: 'claude-2', agent: 'codex' })]), 'claude-3');
});

test('a task is one word, whatever it begins with', () => {
    assert.deepEqual(starting('claude', 'claude-2', '--yes; rm -rf ~'), ['agent', 'claude', '--name', 'claude-2', '--print=--yes; rm -rf ~']);
    assert.deepEqual(starting('claude', 'claude', '', true), ['agent', 'claude', '--resume']);
});

test('a list of another version is not read', () => {
    assert.throws(() => parseListed('{"version": 2, "agents": [], "sessions": []}'));
    assert.equal(parseListed('{"version": 1, "project": "/p", "agents": [], "sessions": []}').project, '/p');
});
