// A weak project: what is underlined, hover, quick fixes until nothing is left.
import { readFileSync } from 'node:fs';
import { folder, play } from './page.mjs';

const MOST_FIXES = 6;
const TRIES = 4;

await play(async (code) => {
    const { page } = code;
    await code.trust(true);
    await code.open('devcontainer.json');
    await code.see('.monaco-editor .squiggly-error');
    await page.keyboard.press('Control+Shift+M');
    await code.see('.markers-panel .monaco-list-row', 'docker-socket-mounted');
    const before = await code.problems();
    await page.locator('.view-line span', { hasText: 'privileged' }).last().hover();
    const hover = await (await code.see('.monaco-hover', 'privileged-container')).innerText();
    await code.shot('hover');

    const titles = [];
    for (let left = before.length; left > 0 && titles.length < MOST_FIXES; left = (await code.problems()).length) {
        titles.push(await fixNext(code, left));
    }
    await page.keyboard.press('Control+S');
    await code.gone('.tab.dirty');
    const after = await code.problems();
    await code.shot('fixed');
    const text = readFileSync(`${folder}/.devcontainer/devcontainer.json`, 'utf8');
    await code.shieldSays('no sandbox');
    return { before, hover, titles, after, squiggles: await code.squiggles(), shield: await code.shield(), text };
});

/** Go to the first of `left` problems and take the first fix that is offered; returns its title. */
async function fixNext(code, left) {
    const { page } = code;
    await (await code.see('.markers-panel .monaco-list-row', 'sandboxd')).click();
    await page.keyboard.press('Enter');
    await page.locator('.monaco-editor textarea, .monaco-editor .native-edit-context').first().focus();
    const title = await offer(code);
    if (left === 1) {
        await code.shot('quick-fix');
    }
    await page.keyboard.press('Enter');
    for (let waited = 0; waited < 1200 && (await code.problems()).length >= left; waited += 1) {
        await page.waitForTimeout(50);
    }
    code.log(`fixed: ${title}`);
    return title;
}

/** Open the menu of fixes; it closes by itself when the cursor is still on its way. */
async function offer(code) {
    for (let tries = 1; ; tries += 1) {
        await code.page.keyboard.press('Control+.');
        try {
            return (await (await code.see('.action-widget .monaco-list-row.action', undefined, 3000)).innerText()).trim();
        } catch (error) {
            if (tries === TRIES) {
                throw error;
            }
        }
    }
}
