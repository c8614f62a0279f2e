import assert from 'node:assert/strict';
import { test } from 'node:test';
import { devContainer } from '../src/dev_container';
import { findProgram, type Search } from '../src/executable';

function search(there: string[], changes: Partial<Search> = {}, links: Record<string, string> = {}): Search {
    return {
        setting: '',
        environ: { PATH: '/usr/local/bin:/usr/bin' },
        home: '/home/ann',
        folders: ['/home/ann/weather'],
        platform: 'linux',
        disk: { isExecutable: (file) => there.includes(file), real: (file) => links[file] ?? file },
        ...changes,
    };
}

test('the setting comes first, then PATH, then the folders of the installers', () => {
    const local = '/home/ann/.local/bin/sandboxd';
    const uv = '/home/ann/.local/share/uv/tools/sandboxd/bin/sandboxd';
    const there = ['/opt/sandboxd', '/usr/bin/sandboxd', local, uv];
    assert.equal(findProgram(search(there, { setting: '/opt/sandboxd' })).program, '/opt/sandboxd');
    assert.equal(findProgram(search(there)).program, '/usr/bin/sandboxd');
    assert.equal(findProgram(search([uv, local])).program, local);
    assert.equal(findProgram(search([uv])).program, uv);
});

test('a program in an open folder is not used, whatever points to it', () => {
    const inside = '/home/ann/weather/.venv/bin';
    const environ = { PATH: `${inside}:/usr/bin` };
    const refused = findProgram(search([`${inside}/sandboxd`], { environ }));
    assert.equal(refused.program, undefined);
    assert.match('reason' in refused ? refused.reason : '', /not used, since it lies in an open folder/);
    assert.equal(findProgram(search([`${inside}/sandboxd`, '/usr/bin/sandboxd'], { environ })).program, '/usr/bin/sandboxd');
    const link = { '/usr/bin/sandboxd': `${inside}/sandboxd` };
    assert.equal(findProgram(search(['/usr/bin/sandboxd'], {}, link)).program, undefined);
    const alias = { '/home/ann/weather': '/data/weather', '/usr/bin/sandboxd': '/data/weather/x' };
    assert.equal(findProgram(search(['/usr/bin/sandboxd'], {}, alias)).program, undefined);
});

test('another tool is looked for by the same rules', () => {
    const there = ['/home/ann/weather/devcontainer', '/usr/bin/devcontainer', '/usr/bin/sandboxd'];
    const environ = { PATH: '/home/ann/weather:/usr/bin' };
    assert.equal(findProgram(search(there, { environ, name: 'devcontainer' })).program, '/usr/bin/devcontainer');
});

test('the config of a dev container is named, and no other one is chosen', () => {
    const config = '/p/.devcontainer/sandboxd/devcontainer.json';
    const { authority, folder } = devContainer('/p', config, '// Generated\n{\n  "name": "workspaceFolder",\n  "workspaceFolder": "/workspaces/a \\"b"\n}');
    const subject = JSON.parse(Buffer.from(authority.slice('dev-container+'.length), 'hex').toString()) as unknown;
    assert.deepEqual(subject, { hostPath: '/p', configFile: { scheme: 'file', path: config } });
    assert.equal(folder, '/workspaces/a "b');
    assert.equal(devContainer('/p', config, '{}').folder, '/workspaces/p');
});

test('relative entries of PATH mean nothing', () => {
    const environ = { PATH: '.:bin::' };
    assert.equal(findProgram(search(['sandboxd', 'bin/sandboxd', './sandboxd'], { environ })).program, undefined);
});

test('a setting that cannot be used is said, and nothing else is taken instead', () => {
    const there = ['/usr/bin/sandboxd', '/home/ann/bin/sandboxd'];
    assert.equal(findProgram(search(there, { setting: './sandboxd' })).program, undefined);
    assert.equal(findProgram(search(there, { setting: '/gone' })).program, undefined);
    assert.equal(findProgram(search(there, { setting: '~/bin/sandboxd' })).program, '/home/ann/bin/sandboxd');
});
