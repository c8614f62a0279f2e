// An agent is given a task, watched, and what it changed looked at, chosen and brought: by keyboard alone.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { folder, play } from './page.mjs';

await play(async (code) => {
    const { page } = code;
    const { keyboard } = page;
    await code.trust(true);
    await code.command('View: Show sandboxd');
    await code.see('.welcome-view-content', 'works on a copy of this folder');
    await code.shot('agents-none');
    await code.command('sandboxd: Start Agent');
    await code.see('.quick-input-widget', 'Which agent?');
    await keyboard.type('forecaster');
    await code.see('.quick-input-list .monaco-list-row', 'Forecaster');
    await code.shot('agents-choice');
    await keyboard.press('Enter');
    await code.see('.quick-input-widget', /Task for Forecaster/);
    await keyboard.type('say that it is sunny');
    await keyboard.press('Enter');
    const working = await (await code.see('.pane-body .monaco-list-row', /^forecaster.*at work/)).innerText();
    await code.see('.terminal-wrapper .xterm-rows', /task:.say.that.it.is.sunny/);
    await code.shot('agents-working');
    await code.command('sandboxd: Review Changes of Agent');
    await code.see('.pane-body .monaco-list-row', 'weather.sh');
    const rows = await code.rows();
    await code.select('weather.sh', 'Changes');
    await keyboard.press('Enter');
    await code.see('.monaco-diff-editor .modified .view-line', /and.sunny/);
    await code.shot('changes');
    await code.select('added.txt', 'Changes');
    await keyboard.press('Space');
    await code.see('.pane-body .monaco-list-row', /^Files.*1 of 2/);
    await code.shot('changes-chosen');
    await bring(code);
    await code.see('.notification-toast', /brought.into.the.workspace:.1.change/);
    await code.gone('.pane-body .monaco-list-row', 'weather.sh');
    // It is at work still, and changes what was looked at.
    const brought = readFileSync(`${folder}/weather.sh`, 'utf8');
    execFileSync('sandboxd', ['exec', '--name', 'forecaster', '--', 'sh', '-c', 'echo more >> weather.sh'], { cwd: folder });
    await bring(code);
    const refused = await (await code.see('.notification-toast', /not.those.that.were.looked.at/)).innerText();
    await code.shot('changes-refused');
    await code.command('sandboxd: End Sandbox of Agent');
    await code.see('.monaco-dialog-box', 'It is at work');
    await keyboard.press('Enter');
    await code.see('.notification-toast', /forecaster.ended/);
    const ended = await (await code.see('.pane-body .monaco-list-row', /^forecaster.*ended/)).innerText();
    await code.shot('agents-ended');
    return { working, rows, brought, refused, ended };
});

async function bring(code) {
    await code.command('sandboxd: Bring Chosen Changes');
    await code.see('.monaco-dialog-box', 'into the workspace');
    await code.page.keyboard.press('Enter');
    await code.gone('.monaco-dialog-box');
}
