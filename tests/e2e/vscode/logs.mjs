// What a sandbox writes: followed while it runs, and to its end.
import { play } from './page.mjs';

await play(async (code) => {
    const { page } = code;
    await code.trust(true);
    await code.command('sandboxd: Show Logs of Sandbox');
    const ticks = [await newest(code, 0)];
    await code.shot('logs');
    ticks.push(await newest(code, ticks[0]));
    await code.command('sandboxd: Stop Sandbox');
    const last = await (await code.see('.view-line', /the.sandbox.ended/)).innerText();
    await code.shot('logs-ended');
    const lines = await page.locator('.view-line').allInnerTexts();
    return { ticks, last: last.replaceAll('\u00a0', ' '), lines };
});

/** The number of the newest tick that is shown, once one above `least` is. */
async function newest(code, least) {
    for (;;) {
        await code.see('.view-line', /^tick.\d+/);
        const texts = await code.page.locator('.view-line').allInnerTexts();
        const most = Math.max(...texts.map((text) => Number(/^tick.(\d+)/.exec(text)?.[1] ?? 0)));
        if (most > least) {
            return most;
        }
        await code.page.waitForTimeout(200);
    }
}
