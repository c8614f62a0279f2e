import assert from 'node:assert/strict';
import { test } from 'node:test';
import { browsable, merge, parseForwarded, parseListening, typed, wish } from '../src/ports/model';

const web = { port: 8000, service: '', label: 'Web', address: 'http://127.0.0.1:8000' };

test('a port is one line, with its address and the program behind it', () => {
    const ours = [{ port: 5432, service: 'db', label: '', address: '127.0.0.1:5432' }];
    const ports = merge([web], ours, [{ port: 8000, program: 'httpd' }, { port: 22, program: '' }]);
    assert.deepEqual(ports.map((port) => [wish(port), port.address, port.program, port.isOurs]), [
        ['22', null, '', false],
        ['8000', 'http://127.0.0.1:8000', 'httpd', false],
        ['db:5432', '127.0.0.1:5432', '', true],
    ]);
});

test('what the daemon opened cannot be closed here', () => {
    assert.deepEqual(merge([web], [web], []).map((port) => port.isOurs), [false]);
    assert.deepEqual(merge([], [web], []).map((port) => port.isOurs), [true]);
});

test('a browser is only sent to a port of this machine', () => {
    assert.equal(browsable('https://[::1]:8000'), 'https://[::1]:8000');
    for (const other of [null, '127.0.0.1:5432', 'http://127.0.0.1:80@evil.test', 'http://evil.test:80', 'file:///etc/passwd', 'command:x']) {
        assert.equal(browsable(other), undefined, String(other));
    }
});

test('a port that is typed is one of the forms of sandboxd forward', () => {
    assert.equal(typed(' 3000:8080 '), '3000:8080');
    assert.equal(typed('db:5432'), 'db:5432');
    for (const other of ['', 'db', '--address=0.0.0.0', '3000 x', '1:2:3:4']) {
        assert.equal(typed(other), undefined, other);
    }
});

test('answers of sandboxd forward are read, and nothing else is', () => {
    assert.deepEqual(parseListening('{"version": 1, "listening": [{"port": 80, "program": "httpd"}]}'), [{ port: 80, program: 'httpd' }]);
    assert.throws(() => parseListening('{"version": 2, "listening": []}'));
    assert.throws(() => parseListening('nothing'));
    assert.equal(parseForwarded('{"port": 80, "service": "", "address": "http://127.0.0.1:8080"}')?.address, 'http://127.0.0.1:8080');
    assert.equal(parseForwarded('http://127.0.0.1:8080 -> port 80 inside'), undefined);
});
