// What an agent did in its private copy: seen in the editor, brought by a yes in the terminal.
import { play } from './page.mjs';

await play(async (code) => {
    const { page } = code;
    await code.trust(true);
    await code.open('weather.sh');
    await code.command('sandboxd: Review Changes of Sandbox');
    await code.see('.tab', 'changes.diff');
    await code.see('.view-line', '+echo and sunny');
    const marked = await (await code.see('.view-line', '.github/x.yml')).innerText();
    await code.shot('review');
    await (await code.see('.notification-toast .monaco-button', 'Bring Changes')).click();
    await code.see('.terminal-wrapper .xterm-rows', /write.1.change.into/);
    await code.shot('bring');
    await page.keyboard.type('y\n');
    await code.gone('.terminal-wrapper.active .xterm-rows', /write.1.change.into/);
    return { marked: marked.replaceAll('\u00a0', ' ') };
});
