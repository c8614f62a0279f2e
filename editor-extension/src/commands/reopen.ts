/** Reopen in sandbox: by the extension Dev Containers where it is, else by the dev container CLI; from the generated file. */

import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { configsIn, devContainer } from '../dev_container';
import { inMessage } from '../views/words';
import { folderOf, runJob, type Context } from './context';
import { generated } from './life';

const DEV_CONTAINERS = 'ms-vscode-remote.remote-containers';
const REOPEN = 'remote-containers.reopenInContainer';

export async function reopen(context: Context, argument: unknown): Promise<void> {
    const folder = folderOf(argument);
    // The file is made anew: what is started is what the project asks for now, and is allowed.
    const config = folder === undefined ? undefined : await generated(context, folder);
    if (folder === undefined || config === undefined) {
        return;
    }
    if (vscode.extensions.getExtension(DEV_CONTAINERS) !== undefined || (await vscode.commands.getCommands(true)).includes(REOPEN)) {
        await attach(folder, config);
    } else {
        await start(context, folder, config);
    }
}

/** This window moves into the container. */
async function attach(folder: string, config: string): Promise<void> {
    // Its command asks which one is meant where there are several, and another one is no sandbox.
    const isOnly = configsIn(folder).length === 1;
    const isNamed = !isOnly && vscode.env.remoteName === undefined && process.platform !== 'win32';
    const choose = isNamed || isOnly ? '' : `Choose the configuration that sandboxd wrote (${path.relative(folder, config)}). `;
    const detail = `${choose}An attached editor is a way back to this machine: extensions here trust what the inside says. For code that you do not trust use "sandboxd: Open Shell in Sandbox".`;
    if ((await vscode.window.showInformationMessage('Reopen in the sandbox?', { modal: true, detail }, 'Reopen')) === undefined) {
        return;
    }
    if (isNamed) {
        const inside = devContainer(folder, config, readFileSync(config, 'utf8'));
        const uri = vscode.Uri.from({ scheme: 'vscode-remote', authority: inside.authority, path: inside.folder });
        await vscode.commands.executeCommand('vscode.openFolder', uri, { forceReuseWindow: true });
    } else {
        await vscode.commands.executeCommand(REOPEN);
    }
}

/** The same container without this window: the dev container CLI makes it. */
async function start(context: Context, folder: string, config: string): Promise<void> {
    const program = context.tool('devcontainer');
    const name = path.basename(folder);
    if (program === undefined) {
        const words = 'sandboxd: neither the extension Dev Containers is here, nor the dev container CLI (`npm install -g @devcontainers/cli`). The file is written; sandboxd runs the same sandbox by itself.';
        if ((await vscode.window.showInformationMessage(words, 'Start Sandbox')) !== undefined) {
            await vscode.commands.executeCommand('sandboxd.up', vscode.Uri.file(path.join(folder, 'sandboxd.toml')).toString());
        }
        return;
    }
    const detail = 'The dev container CLI starts it from the generated file. This window stays outside: the extension Dev Containers, which would move it inside, is not installed.';
    if ((await vscode.window.showInformationMessage(inMessage(`Start the dev container of ${name}?`), { modal: true, detail }, 'Start')) === undefined) {
        return;
    }
    const args = ['up', '--workspace-folder', folder, '--config', config];
    const ended = await runJob(context, { title: 'starting the dev container', args, folder, program });
    if (ended !== undefined) {
        const words = inMessage(`sandboxd: the dev container of ${name} runs. Work in it by a shell; "sandboxd: Stop Sandbox" ends it.`);
        if ((await vscode.window.showInformationMessage(words, 'Open Shell')) !== undefined) {
            await vscode.commands.executeCommand('sandboxd.shell', vscode.Uri.file(path.join(folder, 'sandboxd.toml')).toString());
        }
    }
}
