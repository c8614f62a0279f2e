// A grant is shown before it is asked for, and refused where the file has changed meanwhile.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { folder, play } from './page.mjs';

const CONFIG = `${folder}/sandboxd.toml`;

await play(async (code) => {
    const { page } = code;
    const config = readFileSync(CONFIG, 'utf8');
    await code.trust(true);
    await page.keyboard.press('Control+B'); // room for both sides
    await code.command('sandboxd: Trust sandboxd.toml');
    await code.see('.monaco-diff-editor .modified .view-line', /no.new.privileges/);
    await code.see('.notification-toast .monaco-button', 'Trust');
    const sides = ['original', 'modified'].map((side) => page.locator(`.monaco-diff-editor .${side} .view-line`).allInnerTexts());
    const [before, after] = (await Promise.all(sides)).map((lines) => lines.join('\n').replaceAll('\u00a0', ' '));
    await page.waitForTimeout(700);
    await code.shot('trust');
    writeFileSync(CONFIG, `${config}[network]\nallow = ["evil.test"]\n`);
    await code.quiet();
    await code.command('sandboxd: Trust What Is Shown');
    const refused = await (await code.see('.notification-toast', /what.was.looked.at/)).innerText();
    const listed = [trusted()];
    writeFileSync(CONFIG, config);
    await code.quiet();
    await code.command('sandboxd: Trust sandboxd.toml');
    // VS Code shows no further toast where one is answered before it is at rest.
    await code.see('.notification-toast.notification-fade-in-done .monaco-button', 'Trust');
    await code.see('.monaco-diff-editor .modified .view-line', /no.new.privileges/);
    await page.keyboard.press('Control+Enter');
    await code.see('.notification-toast', 'trusted until it changes');
    await code.shot('trusted');
    listed.push(trusted());
    return { before, after, refused, listed };
});

function trusted() {
    return execFileSync('sandboxd', ['trust', 'list'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
