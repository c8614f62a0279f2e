/** What the sandbox changed in its private copy, and what else needs a terminal: a person is asked there. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Reports } from '../views/pages';
import { folderOf, programFor, runJob, type Context } from './context';

export async function review(context: Context, reports: Reports, argument: unknown): Promise<void> {
    const folder = folderOf(argument);
    if (folder === undefined) {
        return;
    }
    const ended = await runJob(context, { title: 'collecting the changes', args: ['review', '--diff'], folder });
    if (ended === undefined) {
        return;
    }
    if (ended.stdout.trim() === '') {
        void vscode.window.showInformationMessage('sandboxd: no file differs from the workspace.');
        return;
    }
    await reports.showDifference(`${path.basename(folder)} changes`, ended.stdout);
    const chosen = await vscode.window.showInformationMessage('sandboxd: these are the changes of the sandbox.', 'Bring Changes');
    if (chosen !== undefined) {
        bring(context, folder);
    }
}

/** In a terminal: the sandbox may have gone on, so the program shows what it asks about. */
function bring(context: Context, folder: string): void {
    inTerminal(context, 'sandboxd review', ['review', '--apply'], folder);
}

/** A shell in the sandbox. */
export function shell(context: Context, argument: unknown): void {
    const folder = folderOf(argument);
    if (folder !== undefined) {
        inTerminal(context, 'sandbox', ['shell'], folder);
    }
}

/** What a config takes away, and the question whether to grant it. */
export function trust(context: Context, argument: unknown): void {
    const folder = folderOf(argument);
    if (folder !== undefined) {
        inTerminal(context, 'sandboxd trust', ['trust', 'add'], folder);
    }
}

/** A command that sets this machine up, typed and not run. */
export function setUp(argument: unknown): void {
    const terminal = vscode.window.createTerminal({ name: 'sandboxd setup' });
    terminal.show();
    terminal.sendText(typeof argument === 'string' ? argument : 'sandboxd setup', false);
}

function inTerminal(context: Context, name: string, args: string[], cwd: string): void {
    const program = programFor(context);
    if (program === undefined) {
        return;
    }
    // The program itself and no shell: nothing of a folder's name is read as a command.
    vscode.window.createTerminal({ name, shellPath: program, shellArgs: args, cwd }).show();
}
