import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { configsIn, devContainer, generatedFile } from '../src/dev_container';

test('the config is the one that sandboxd names', () => {
    const answer = { version: 1, project: '/work/weather', config: '.devcontainer/devcontainer.json', files: [] };
    assert.equal(generatedFile(JSON.stringify(answer)), '/work/weather/.devcontainer/devcontainer.json');
    assert.equal(generatedFile(JSON.stringify({ ...answer, version: 2 })), undefined);
    assert.equal(generatedFile('{"version": 1}'), undefined);
});

test('each config that a person would have to choose from is seen', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'configs-'));
    const main = path.join(folder, '.devcontainer', 'devcontainer.json');
    const planted = path.join(folder, '.devcontainer', 'sandboxd', 'devcontainer.json');
    try {
        // One that is pinned as a folder, so that none can be written there.
        mkdirSync(path.join(folder, '.devcontainer.json'));
        assert.deepEqual(configsIn(folder), []);
        mkdirSync(path.dirname(planted), { recursive: true });
        writeFileSync(main, '{}');
        assert.deepEqual(configsIn(folder), [main]);
        writeFileSync(planted, '{}');
        assert.deepEqual(configsIn(folder), [main, planted]);
    } finally {
        rmSync(folder, { recursive: true });
    }
});

test('the folder inside is the one of that config', () => {
    const config = '/work/weather/.devcontainer/sandboxd/devcontainer.json';
    const { authority, folder } = devContainer('/work/weather', config, '// Generated\n{\n  "workspaceFolder": "/srv/w"\n}\n');
    assert.equal(folder, '/srv/w');
    const subject = Buffer.from(authority.replace('dev-container+', ''), 'hex').toString();
    assert.deepEqual(JSON.parse(subject), { hostPath: '/work/weather', configFile: { scheme: 'file', path: config } });
});
