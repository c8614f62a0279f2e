import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlainText } from '../src/logs/text';
import { sides } from '../src/views/grant';

test('text for a terminal becomes plain text, wherever it is cut', () => {
    const text = 'a\x1b[31mred\x1b[0m \x1b]0;title\x07b\x1b]8;;http://evil.test\x1b\\link\x1b(B\r\nc\rd\x00\u202e\te\n';
    const whole = new PlainText().feed(text);
    assert.equal(whole, 'ared blink\nc\nd\te\n');
    for (let at = 1; at < text.length; at += 1) {
        const plain = new PlainText();
        const pieces = plain.feed(text.slice(0, at)) + plain.feed(text.slice(at));
        assert.equal(pieces, whole, `cut at ${at}`);
    }
});

test('a sequence without an end does not keep the rest back', () => {
    const plain = new PlainText();
    assert.ok(plain.feed(`\x1b]0;${'x'.repeat(5000)}`).length > 4000);
    assert.equal(plain.feed('after\n'), 'after\n');
});

test('a piece of nothing but returns is read in one pass', () => {
    const plain = new PlainText();
    assert.equal(plain.feed(`${'\r'.repeat(1 << 20)}x`).length, (1 << 20) + 1);
    assert.equal(plain.feed('\r\r'), '');
    assert.equal(plain.feed('\r\ny\n'), '\ny\n');
});

test('a grant is shown before and after, and its words hide nothing', () => {
    const changes = [
        { control: 'network', before: 'allowed names', after: 'open' },
        { control: 'volume', before: null, after: '`a\nnetwork: none \u202e` is shared' },
    ];
    const { before, after } = sides({ version: 1, project: '/p', digest: 'd', needs_grant: true, granted: false, changes });
    assert.deepEqual(before.split('\n').slice(2), ['', 'network', '    allowed names', '', 'volume', '    not given', '']);
    assert.deepEqual(after.split('\n').slice(2), ['', 'network', '    open', '', 'volume', '    `a\\u{a}network: none \\u{202e}` is shared', '']);
});
