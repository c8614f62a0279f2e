/** The sandbox of a project: its config, its files, its start and its end. */

import { existsSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { folderOf, runJob, type Context } from './context';

export async function init(context: Context, argument: unknown): Promise<void> {
    const folder = folderOf(argument);
    if (folder === undefined) {
        return;
    }
    const config = path.join(folder, 'sandboxd.toml');
    if (!existsSync(config)) {
        const chosen = await vscode.window.showQuickPick(PROFILES, {
            title: 'Who works in this sandbox?',
            placeHolder: 'The profile can be changed later, in sandboxd.toml',
        });
        if (chosen === undefined) {
            return;
        }
        const args = ['init', '--profile', chosen.label];
        if ((await runJob(context, { title: 'creating sandboxd.toml', args, folder })) === undefined) {
            return;
        }
    }
    await vscode.window.showTextDocument(vscode.Uri.file(config));
}

const PROFILES: vscode.QuickPickItem[] = [
    { label: 'dev', description: 'daily team work on code that the team knows' },
    { label: 'agent', description: 'an AI agent, unattended' },
    { label: 'untrusted', description: 'an unknown repository that must run' },
    { label: 'review', description: 'reading only' },
    { label: 'trusted', description: 'your own code, debuggers, nested Docker' },
];

export async function generate(context: Context, argument: unknown): Promise<void> {
    const folder = folderOf(argument);
    if (folder === undefined) {
        return;
    }
    const ended = await runJob(context, { title: 'writing devcontainer.json', args: ['generate'], folder });
    const written = /^wrote (?:\.\/)?(.*devcontainer\.json)$/m.exec(`${ended?.stdout ?? ''}\n${ended?.stderr ?? ''}`)?.[1];
    if (ended === undefined) {
        return;
    }
    if (written === undefined) {
        void vscode.window.setStatusBarMessage('sandboxd: devcontainer.json is up to date', 5000);
        return;
    }
    await vscode.window.showTextDocument(vscode.Uri.file(path.join(folder, written)));
}

export async function up(context: Context, argument: unknown): Promise<void> {
    const folder = folderOf(argument);
    if (folder === undefined) {
        return;
    }
    const ended = await runJob(context, { title: 'starting the sandbox', args: ['up'], folder });
    if (ended === undefined) {
        return;
    }
    const last = ended.stderr.split('\n').filter((line) => /^\w+: profile /.test(line)).at(-1) ?? 'it runs';
    const chosen = await vscode.window.showInformationMessage(`sandboxd: ${last}.`, 'Verify', 'Reopen in Sandbox');
    if (chosen === 'Verify') {
        await vscode.commands.executeCommand('sandboxd.verify', argument);
    } else if (chosen === 'Reopen in Sandbox') {
        await reopen();
    }
}

export async function down(context: Context, argument: unknown): Promise<void> {
    const folder = folderOf(argument);
    if (folder !== undefined) {
        await runJob(context, { title: 'stopping the sandbox', args: ['down'], folder });
    }
}

export async function daemonStart(context: Context, argument: unknown): Promise<void> {
    const folder = folderOf(argument);
    if (folder !== undefined) {
        await runJob(context, { title: 'starting the daemon', args: ['daemon', 'start'], folder });
    }
}

const REOPEN = 'remote-containers.reopenInContainer';

/** Hand over to the Dev Containers extension, which reads the generated file. */
export async function reopen(): Promise<void> {
    if (!(await vscode.commands.getCommands(true)).includes(REOPEN)) {
        void vscode.window.showInformationMessage(
            'sandboxd: "Reopen in Container" is a command of the extension Dev Containers, which is not installed here. The dev container CLI and `sandboxd shell` use the same file.',
        );
        return;
    }
    const chosen = await vscode.window.showInformationMessage(
        'Reopen in the sandbox?',
        {
            modal: true,
            detail: 'Choose the configuration that sandboxd wrote (.devcontainer/sandboxd). An attached editor is a way back to this machine: extensions here trust what the inside says. For code that you do not trust use `sandboxd shell` or `sandboxd exec`.',
        },
        'Reopen',
    );
    if (chosen !== undefined) {
        await vscode.commands.executeCommand(REOPEN);
    }
}
