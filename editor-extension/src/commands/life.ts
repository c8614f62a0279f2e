/** The sandbox of a project: its config, its files, its start and its end. */

import { existsSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { generatedFile } from '../dev_container';
import { inMessage } from '../views/words';
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
    const file = folder === undefined ? undefined : await generated(context, folder);
    if (file !== undefined) {
        await vscode.window.showTextDocument(vscode.Uri.file(file));
    }
}

/** Make the file of the folder anew; undefined where there is none, which the user was then told. */
export async function generated(context: Context, folder: string): Promise<string | undefined> {
    const ended = await runJob(context, { title: 'writing devcontainer.json', args: ['generate', '--json'], folder });
    return ended === undefined ? undefined : generatedFile(ended.stdout);
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
    const chosen = await vscode.window.showInformationMessage(inMessage(`sandboxd: ${last}.`), 'Verify', 'Reopen in Sandbox');
    if (chosen === 'Verify') {
        await vscode.commands.executeCommand('sandboxd.verify', argument);
    } else if (chosen === 'Reopen in Sandbox') {
        await vscode.commands.executeCommand('sandboxd.reopen', argument);
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
