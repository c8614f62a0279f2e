// A port that listens inside: seen, opened on this machine, read, and closed again, all by keyboard.
import { given, play } from './page.mjs';

await play(async (code) => {
    const { page } = code;
    const port = String(given.number);
    await code.trust(true);
    await code.command('View: Show sandboxd');
    await (await code.see('.pane-body .monaco-list-row', /^Ports/)).click();
    await code.see('.pane-body .monaco-list-row', `${port}httpd, inside only`);
    const rows = [await code.row(port)];
    await code.shot('ports-inside');
    await code.select(port);
    await page.keyboard.press('Enter');
    await code.see('.notification-toast', 'is open at');
    await code.see('.pane-body .monaco-list-row', `${port}127.0.0.1:`);
    rows.push(await code.row(port));
    await code.shot('ports-open');
    const address = `http://${/127\.0\.0\.1:\d+/.exec(rows[1])[0]}`;
    const text = await (await fetch(`${address}/index.html`)).text();
    const popup = page.context().waitForEvent('page');
    await code.select(port);
    await page.keyboard.press('Enter');
    const browser = (await popup).url();
    await code.quiet();
    await code.command('sandboxd: Stop Forwarding Port');
    await (await code.see('.quick-input-list .monaco-list-row', port)).click();
    await code.see('.pane-body .monaco-list-row', `${port}httpd, inside only`);
    rows.push(await code.row(port));
    return { rows, address, page: text, browser };
});
