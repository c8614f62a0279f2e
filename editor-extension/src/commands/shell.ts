/** What a person does beside a sandbox: its output, a shell in it, setting the machine up. */

import * as vscode from 'vscode';
import type { Logs } from '../logs/logs';
import { folderOf, inTerminal, programFor, type Context } from './context';

/** What the sandbox writes, as it writes it. */
export function showLogs(context: Context, logs: Logs, argument: unknown): void {
    const folder = folderOf(argument);
    const program = folder === undefined ? undefined : programFor(context);
    if (folder !== undefined && program !== undefined) {
        logs.show(program, folder);
    }
}

/** A shell in the sandbox. */
export function shell(context: Context, argument: unknown): void {
    const folder = folderOf(argument);
    if (folder !== undefined) {
        inTerminal(context, 'sandbox', ['shell'], folder);
    }
}

/** A command that sets this machine up, typed and not run. */
export function setUp(argument: unknown): void {
    const terminal = vscode.window.createTerminal({ name: 'sandboxd setup' });
    terminal.show();
    terminal.sendText(typeof argument === 'string' ? argument : 'sandboxd setup', false);
}
