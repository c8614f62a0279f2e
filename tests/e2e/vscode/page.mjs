// A person's hands in VS Code: one browser, one window, the few things that the scenarios do.
import { createRequire } from 'node:module';

export const given = JSON.parse(process.env.SCENARIO);
const { chromium } = createRequire(import.meta.url)(given.playwright);
// A sandbox that is started for the first time takes more than a minute on a machine with much to do.
const WAIT = 180_000;
const MOST_ROWS = 60;
const TRIES = 3;

export const { folder } = given;

/** Run `scenario` in a window on the folder; what it returns is printed, as JSON. */
export async function play(scenario) {
    const browser = await chromium.launch({
        executablePath: given.chromium,
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    const page = await browser.newPage({ viewport: { width: 1180, height: 720 } });
    page.setDefaultTimeout(WAIT);
    const code = new Code(page);
    try {
        await page.goto(`http://127.0.0.1:${given.port}/?folder=${encodeURIComponent(folder)}`, { waitUntil: 'domcontentloaded', timeout: WAIT });
        await code.see('.monaco-workbench');
        console.log(JSON.stringify(await scenario(code)));
    } catch (error) {
        await code.shot('failed').catch(() => undefined);
        console.error(error.message);
        process.exitCode = 1;
    } finally {
        await browser.close();
    }
}

class Code {
    constructor(page) {
        this.page = page;
        this.started = Date.now();
    }

    /** Say how far we are: pytest shows it when something fails. */
    log(text) {
        console.error(`${((Date.now() - this.started) / 1000).toFixed(1)} s  ${text}`);
    }

    async see(selector, text, timeout = WAIT) {
        const found = this.page.locator(selector, text === undefined ? {} : { hasText: text }).first();
        await found.waitFor({ state: 'visible', timeout });
        this.log(`seen: ${selector} ${text ?? ''}`);
        return found;
    }

    async gone(selector, text, timeout = WAIT) {
        await this.page.locator(selector, text === undefined ? {} : { hasText: text }).first().waitFor({ state: 'hidden', timeout });
    }

    /** Answer whether the folder is trusted. */
    async trust(yes) {
        await (await this.see('.monaco-dialog-box .monaco-button', yes ? 'Yes, I trust' : 'No, I')).click();
        await this.gone('.monaco-dialog-box');
        await this.see('.explorer-folders-view .monaco-list-row');
    }

    /** Open a file of the folder by its name. */
    async open(name) {
        await this.page.keyboard.press('Control+P');
        await this.see('.quick-input-widget input');
        await this.page.keyboard.type(name, { delay: 10 });
        await (await this.see('.quick-input-list .monaco-list-row', name)).click();
        await this.see('.monaco-editor .view-line');
    }

    /** Labels that the palette offers for `text`. */
    async offered(text) {
        await this.page.keyboard.press('F1');
        await this.see('.quick-input-widget input');
        await this.page.keyboard.type(text, { delay: 10 });
        await this.see('.quick-input-list .monaco-list-row .label-name', text.trim());
        await this.page.waitForTimeout(700);
        const rows = await this.page.locator('.quick-input-list .monaco-list-row .label-name').allInnerTexts();
        await this.page.keyboard.press('Escape');
        return rows.map((row) => row.replaceAll('\u00a0', ' '));
    }

    /** Run a command of the palette, which closes where a window that starts up takes the focus. */
    async command(title) {
        for (let tries = 1; ; tries += 1) {
            await this.page.keyboard.press('F1');
            await this.see('.quick-input-widget input');
            await this.page.keyboard.type(title, { delay: 10 });
            try {
                await (await this.see('.quick-input-list .monaco-list-row', title, WAIT / TRIES)).click();
                return;
            } catch (error) {
                if (tries === TRIES) {
                    throw error;
                }
                await this.page.keyboard.press('Escape');
            }
        }
    }

    /** The text of our item in the status bar. */
    async shield() {
        const item = await this.see('#sandboxd\\.sandboxd\\.sandboxd\\.shield, [id="sandboxd.sandboxd.sandboxd.shield"], [id*="sandboxd.shield"]');
        return (await item.innerText()).trim();
    }

    async shieldSays(text) {
        await this.see('[id*="sandboxd.shield"]', text);
    }

    squiggles() {
        return this.page.locator('.monaco-editor .squiggly-error').count();
    }

    /** Rows of the Problems panel that are ours. */
    async problems() {
        const rows = await this.page.locator('.markers-panel .monaco-list-row').allInnerTexts();
        return rows.map((row) => row.replace(/\s+/g, ' ').trim()).filter((row) => row.includes('sandboxd'));
    }

    /** As the system's setting would, which VS Code follows. */
    async theme(name) {
        await this.page.emulateMedia({ colorScheme: name });
        await this.see(name === 'dark' ? '.monaco-workbench.vs-dark' : '.monaco-workbench.vs');
        await this.page.waitForTimeout(300);
    }

    /** As the system's setting would. */
    async highContrast() {
        await this.page.emulateMedia({ forcedColors: 'active' });
        await this.see('.monaco-workbench.hc-light, .monaco-workbench.hc-black');
        await this.page.waitForTimeout(300);
    }

    /** A picture at 200 %: half the room for everything. */
    async zoomed(name) {
        const { width, height } = this.page.viewportSize();
        await this.page.emulateMedia({ forcedColors: 'none' });
        await this.page.setViewportSize({ width: width / 2, height: height / 2 });
        await this.page.waitForTimeout(300);
        await this.shot(name);
        await this.page.setViewportSize({ width, height });
    }

    /** The rows of our view, as they stand there. */
    async rows() {
        const texts = await this.page.locator('.pane-body .monaco-list-row').allInnerTexts();
        return texts.map((row) => row.replace(/\s+/g, ' ').trim());
    }

    /** The row of our view that begins with `text`. */
    async row(text) {
        return (await this.rows()).find((row) => row.startsWith(text));
    }

    /** Put the cursor of one of our views on the row that begins with `text`, by arrow keys. */
    async select(text, view = 'Sandboxes') {
        const { keyboard } = this.page;
        await this.command(`sandboxd: Focus on ${view} View`);
        await keyboard.press('Home');
        for (let moved = 0; moved < MOST_ROWS; moved += 1) {
            const focused = this.page.locator('.pane-body .monaco-list:focus-within .monaco-list-row.focused, .pane-body .monaco-list:focus .monaco-list-row.focused').first();
            if ((await focused.innerText()).trim().startsWith(text)) {
                return;
            }
            await keyboard.press('ArrowDown');
        }
        throw new Error(`no row begins with ${text}`);
    }

    async shot(name, options = {}) {
        await this.page.screenshot({ path: `${given.shots}/${name}.png`, ...options });
    }

    /** Close what pops up by itself. */
    async quiet() {
        await this.page.keyboard.press('Escape');
        await this.command('Notifications: Clear All Notifications');
        await this.gone('.quick-input-widget');
        await this.page.waitForTimeout(400);
    }
}
