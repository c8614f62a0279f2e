// A repository that its sandbox works on, too: what VS Code's own git shows of it, again and again.
import { given, play } from './page.mjs';

await play(async (code) => {
    const { page } = code;
    await code.trust(true);
    await code.command('Source Control: Focus on Changes View');
    const row = await (await code.see('.scm-view .monaco-list-row', given.changed)).innerText();
    for (let time = 0; time < 3; time += 1) {
        await code.command('Git: Refresh');
        await page.waitForTimeout(500);
    }
    await code.command('Git: Stage All Changes');
    await code.see('.scm-view .monaco-list-row', 'Staged Changes');
    await code.shot('git');
    return { row };
});
