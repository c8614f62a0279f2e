import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { inState, lostByPlan } from '../src/status/controls';
import { actionOf } from '../src/status/hint';
import { parseStatus, type Control, type Project, type Seen } from '../src/status/model';
import { countsInWords, verdict } from '../src/status/verdict';
import { compare, inMessage, plain } from '../src/views/words';
import { costPage, type Cost } from '../src/views/cost';
import { report } from '../src/views/report';
import { failure } from '../src/process';

function controls(states: Record<string, Seen>): Control[] {
    return Object.entries(states).map(([name, state]) => ({ name, state, why: 'seen' }));
}

const HARDENED: Record<string, Seen> = {
    'own kernel': 'left out',
    capabilities: 'in force',
    'no-new-privileges': 'in force',
    seccomp: 'in force',
};

function project(changes: Partial<Project> = {}, states: Record<string, Seen> = {}): Project {
    const base = {
        path: '/p', state: 'running', profile: 'dev', asked: null, verified: null, drift: [], downgrades: [], openPorts: [],
        findings: null, problem: null, hint: null, lost: [], halted: false,
        inForce: { settings: { privileged: 'no' }, controls: controls({ ...HARDENED, ...states }) },
    } satisfies Project;
    return { ...base, ...changes };
}

test('gVisor is said only of a kernel that was seen to be its own', () => {
    assert.equal(verdict(project({}, { 'own kernel': 'in force' })).label, 'gVisor');
    assert.equal(verdict(project({}, { 'own kernel': 'not seen' })).label, 'not observed');
    const named = { settings: { runtime: 'runsc' }, controls: [] };
    assert.equal(verdict(project({ inForce: named })).label, 'not observed');
    assert.equal(verdict(project({ inForce: null })).label, 'not observed');
});

test('a shared kernel is called hardened only with all of its controls in force', () => {
    assert.equal(verdict(project()).label, 'runc, hardened');
    for (const name of ['no-new-privileges', 'seccomp', 'capabilities']) {
        assert.equal(verdict(project({}, { [name]: 'not in force' })).label, 'weak', name);
        assert.equal(verdict(project({}, { [name]: 'left out' })).label, 'weak', name);
        assert.equal(verdict(project({}, { [name]: 'not seen' })).label, 'runc, partly seen', name);
    }
    const privileged = project({}, { 'own kernel': 'in force' });
    privileged.inForce!.settings['privileged'] = 'yes';
    assert.equal(verdict(privileged).label, 'weak');
});

const VERIFIED = { state: 'held', ageSeconds: 125, tried: 98, escaped: [], notTried: ['gpu'], open: [] } as const;

test('a sandbox that was attacked is said to hold, with what was not tried', () => {
    const held = verdict(project({ verified: { ...VERIFIED, escaped: [], notTried: ['gpu'], open: [] } }));
    assert.equal(held.label, 'runc, hardened, held');
    assert.match(held.because, /^It held against 98 attempts 2 min ago; 1 not tried, since there was nothing to attack\. /);
    const escaped = verdict(project({ verified: { ...VERIFIED, state: 'escaped', escaped: ['pin-write'], notTried: [], open: [] } }));
    assert.deepEqual([escaped.label, escaped.level], ['escaped', 'weak']);
    const lost = verdict(project({ verified: { ...VERIFIED, escaped: [], notTried: [], open: [] } }, { seccomp: 'not in force' }));
    assert.equal(lost.label, 'weak');
});

test('files that are read-only are one line, unless one is not', () => {
    const files = { 'read-only /w/a': 'in force', 'read-only /w/b': 'in force', 'read-only /w/c': 'not in force' } as const;
    const shown = inState(project({}, files), 'in force').map((control) => control.name);
    assert.deepEqual(shown, ['capabilities', 'no-new-privileges', 'seccomp', '2 control files read-only']);
    assert.deepEqual(inState(project({}, files), 'not in force').map((control) => control.name), ['read-only /w/c']);
    const lost = lostByPlan(project({ downgrades: ['seccomp: no filter', 'control files: a: b'] }));
    assert.deepEqual(lost.map(({ name, why }) => [name, why]), [['control files', 'a: b']]);
});

test('a hint has the action that it names first', () => {
    assert.equal(actionOf('`sandboxd trust add` shows what it takes away').command, 'sandboxd.trust');
    assert.equal(actionOf('`sandboxd daemon start`, then `sandboxd up`').command, 'sandboxd.daemonStart');
    assert.equal(actionOf('run `sudo sandboxd setup gvisor --update`').typed, 'sudo sandboxd setup gvisor --update');
    assert.equal(actionOf('`sandboxd setup; rm -rf ~`').command, 'sandboxd.log');
    assert.equal(actionOf('`sandboxd up --recreate` makes its container anew').typed, 'sandboxd up --recreate');
    assert.equal(actionOf('free some memory').command, 'sandboxd.log');
});

test('a lost pin comes before all else that is known', () => {
    const text = 'PIN LOST: `.envrc` was replaced or moved';
    for (const changes of [{}, { state: 'paused' }, { drift: ['x'] }, { verified: { ...VERIFIED, escaped: [], notTried: [], open: [] } }] as Partial<Project>[]) {
        const { label, level, because } = verdict(project({ ...changes, lost: [text] }));
        assert.deepEqual([label, level, because], ['pin lost', 'weak', text]);
    }
    assert.equal(verdict(project({ lost: [text], halted: true, state: 'paused' })).label, 'halted');
    const parsed = parseStatus(JSON.stringify({ version: 1, daemon: {}, host: null, projects: [{ path: '/p', state: 'running', lost: [text] }] }));
    assert.deepEqual(parsed.projects[0]!.lost, [text]);
    const beside = { path: '/p', state: 'running', halted: null, halted_beside: { other: text }, lost: [text] };
    const second = parseStatus(JSON.stringify({ version: 1, daemon: {}, host: null, projects: [beside] }));
    assert.equal(verdict(second.projects[0]!).label, 'halted');
});

test('what does not run, or is not known, is said so', () => {
    assert.equal(verdict(project({ state: 'stopped' })).label, 'not running');
    assert.equal(verdict(project({ state: 'unknown', problem: 'no engine' })).because, 'no engine');
    assert.equal(verdict(project({ state: 'invalid config' })).level, 'attention');
    const drifted = verdict(project({ drift: ['user: asked 1000, is 0'] }));
    assert.deepEqual([drifted.label, drifted.level], ['runc, hardened, drifted', 'attention']);
});

test('an answer of sandboxd is read, and nothing is made up where it is silent', () => {
    const status = parseStatus(JSON.stringify({
        version: 1,
        daemon: { running: true },
        host: null,
        projects: [{ path: '/p', state: 'surprising', in_force: { settings: {}, controls: [{ name: 'x', state: 'new word' }] } }],
    }));
    assert.equal(status.engine, null);
    assert.equal(status.projects[0]?.state, 'unknown');
    assert.equal(status.projects[0]?.inForce?.controls[0]?.state, 'not seen');
    assert.equal(status.projects[0]?.findings, null);
    assert.throws(() => parseStatus('{"version": 2}'), /version 2/);
    assert.throws(() => parseStatus('nothing'));
});

test('counts are in words', () => {
    const findings = { error: 1, warning: 2, hint: 0, skipped: 3 };
    assert.equal(countsInWords(project({ findings })), '1 error, 2 warnings, 3 not checked');
    assert.equal(countsInWords(project()), '');
});

test('what was not observed is a dash and no difference', () => {
    assert.deepEqual(compare({ user: 'dev' }, null), [{ name: 'user', asked: 'dev', inForce: '–', differs: false }]);
    assert.equal(compare({ user: 'dev' }, { user: 'root' })[0]?.differs, true);
});

test('text from a sandbox stays text', () => {
    const evil = '[click](command:evil) <img src=x> $(zap) | a\n# b';
    assert.doesNotMatch(plain(evil), /(?<!\\)[[\]()|<>#$]|\n/);
    const page = report(
        {
            container: evil, runtime: 'runc', kernel: 'host', profile: null, held: false,
            attempts: [{ id: 'x', title: evil, outcome: 'escaped', expected: 'held', evidence: evil }],
        },
        '/p',
        new Date(0),
    );
    assert.match(page, /^# The sandbox did not hold/);
    assert.doesNotMatch(page, /\]\(command/);
});

test('a page that shows nothing held does not say so', () => {
    const verdict = { container: 'c', runtime: 'r', kernel: 'own', profile: 'dev', held: false, attempts: [] };
    assert.match(report(verdict, '/p', new Date(0)), /^# It was not shown/);
    assert.match(report({ ...verdict, held: true }, '/p', new Date(0)), /^# The sandbox held/);
});

test('a failure is told in the words of sandboxd', () => {
    assert.deepEqual(failure('starting\nerror: no engine\nhint: start one\n'), { message: 'no engine', hint: 'start one' });
    assert.deepEqual(failure('boom'), { message: 'boom', hint: '' });
    const note = 'downgrade: network: open\n  hint: ask for less\n';
    assert.deepEqual(failure(`${note}error: no engine\nhint: start one\n`), { message: 'no engine', hint: 'start one' });
    assert.deepEqual(failure(`${note}error: no engine\n`), { message: 'no engine', hint: '' });
    assert.deepEqual(failure(note), { message: 'hint: ask for less', hint: '' });
});

test('the page of costs shows figures, ratios and what was not measured', () => {
    const cost: Cost = {
        project: 'weather', when: '2026-01-02', rounds: 5, base: 'docker',
        variants: [
            { name: 'docker', title: 'plain docker run', runtime: 'runc' },
            { name: 'gvisor', title: 'gVisor, profile <b>', runtime: 'runsc' },
        ],
        left_out: ['runc: [x](command:y)'],
        rows: [
            { title: 'walking', unit: '200 files', figures: { docker: { milliseconds: 1, ratio: 1, why: '' }, gvisor: { milliseconds: 20.5, ratio: 20.5, why: '' } } },
            { title: 'starting', unit: 'up', figures: { docker: { milliseconds: 1234, ratio: 1, why: '' }, gvisor: { milliseconds: null, ratio: null, why: 'no room' } } },
        ],
    };
    const page = costPage(cost, '/p');
    assert.match(page, /\| 1\.00 ms \| 20\.50 ms, 20\.50 × \|/);
    assert.match(page, /\| 1\.23 s \| not measured: no room \|/);
    assert.ok(!page.includes('<b>') && !page.includes('[x]('), page);
});

test('a notification has no button that a repository made', () => {
    assert.equal(inMessage('no `[Repair](command:x)`'), 'no `[Repair] (command:x)`');
    const folder = path.join(process.cwd(), 'src');
    const calls = readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .flatMap((name) => readFileSync(path.join(folder, name), 'utf8').split('\n'))
        .filter((line) => /show(Error|Warning|Information)Message\(|progress\.report\(/.test(line));
    assert.ok(calls.length > 5);
    const open = calls.filter((line) => /show\w+Message\(`[^`]*\$\{|report\(\{ message: (?!inMessage)/.test(line));
    assert.deepEqual(open, []);
});
