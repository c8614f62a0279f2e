// A folder that is not trusted: it is checked, and nothing else happens.
import { play } from './page.mjs';

await play(async (code) => {
    await code.trust(false);
    await code.open('devcontainer.json');
    await code.see('.monaco-editor .squiggly-error');
    await code.command('View: Show sandboxd');
    const welcome = await (await code.see('.welcome-view-content', 'Restricted Mode')).innerText();
    const offered = await code.offered('sandboxd: ');
    await code.shot('restricted');
    return { squiggles: await code.squiggles(), welcome, offered, shield: await code.shield() };
});
