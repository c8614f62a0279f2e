// Reopen in sandbox: asked first, then by the extension Dev Containers where it is, else by the dev container CLI.
import { given, play } from './page.mjs';

await play(async (code) => {
    await code.trust(true);
    await code.command('sandboxd: Reopen in Sandbox');
    const asked = await (await code.see('.monaco-dialog-box', given.question)).innerText();
    await code.shot(`${given.name}-asks`);
    await code.page.keyboard.press('Enter');
    const said = await (await code.see('.notification-toast', given.answer)).innerText();
    await code.shot(given.name);
    return { asked, said };
});
