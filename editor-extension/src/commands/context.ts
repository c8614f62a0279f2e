/** What all commands share. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { currentFolder } from '../folders';
import { failure, MOST_OUTPUT, run, type Ended } from '../process';
import type { StatusFeed } from '../status/feed';
import { Line } from '../views/line';
import { inMessage } from '../views/words';

export interface Context {
    log: vscode.LogOutputChannel;
    feed: StatusFeed;
    /** The program to run, undefined when there is none. */
    program(): string | undefined;
    /** Another tool of this machine by its name, outside of every open folder; undefined where there is none. */
    tool(name: string): string | undefined;
}

/** The folder that a command is about: of the clicked line or lens, else of the file in front. */
export function folderOf(argument: unknown): string | undefined {
    if (argument instanceof Line && argument.project !== undefined) {
        return argument.project;
    }
    if (typeof argument === 'string' && argument.startsWith('file:')) {
        // sandboxd itself looks upwards for the project.
        return path.dirname(vscode.Uri.parse(argument).fsPath);
    }
    const current = currentFolder();
    if (current === undefined) {
        void vscode.window.showInformationMessage('sandboxd: open a folder first.');
    }
    return current;
}

/** The program to run, undefined where nothing is: the user was then told why. */
export function programFor(context: Context): string | undefined {
    if (!vscode.workspace.isTrusted) {
        void vscode.window.showWarningMessage('sandboxd: nothing is run in Restricted Mode.');
        return undefined;
    }
    const program = context.program();
    if (program === undefined) {
        void vscode.commands.executeCommand('sandboxd.install');
    }
    return program;
}

export interface Job {
    title: string;
    args: readonly string[];
    folder: string;
    /** Exit codes that are no failure. */
    fine?: readonly number[];
    /** What it reads from stdin. */
    input?: string;
    /** Another program than `sandboxd`. */
    program?: string;
}

/**
 * Run with progress that can be cancelled, then ask for the status anew. Undefined when it did not
 * end well, which the user was then told.
 */
export async function runJob(context: Context, job: Job): Promise<Ended | undefined> {
    const own = programFor(context);
    if (own === undefined) {
        return undefined;
    }
    const program = job.program ?? own;
    const where = { location: vscode.ProgressLocation.Notification, title: `sandboxd: ${job.title}`, cancellable: true };
    const ended = await vscode.window.withProgress(where, (progress, cancel) => {
        context.log.info(`$ ${path.basename(program)} ${job.args.join(' ')}  (in ${job.folder})`);
        const onStatus = (line: string): void => {
            context.log.info(line);
            progress.report({ message: inMessage(line) });
        };
        return run(program, job.args, { cwd: job.folder, cancel, onStatus, input: job.input }).catch((error: Error) => error);
    });
    void context.feed.refresh();
    return judged(context, job, ended);
}

function judged(context: Context, job: Job, ended: Ended | Error): Ended | undefined {
    if (ended instanceof Error) {
        void tellFailure(context, ended.message, '');
        return undefined;
    }
    if (ended.cancelled) {
        context.log.info(`cancelled: ${job.title}`);
        void vscode.window.setStatusBarMessage(`sandboxd: cancelled: ${job.title}`, 5000);
        return undefined;
    }
    if (ended.overflowed) {
        void tellFailure(context, `it printed more than ${MOST_OUTPUT >> 20} MiB, which is too much to show`, `\`sandboxd ${job.args[0]}\` in a terminal`);
        return undefined;
    }
    if (ended.code === 0 || (ended.code !== null && job.fine?.includes(ended.code) === true)) {
        return ended;
    }
    const { message, hint } = failure(ended.stderr);
    void tellFailure(context, message, hint);
    return undefined;
}

/** Say what failed and what to do; the rest is in the log. */
export async function tellFailure(context: Context, message: string, hint: string): Promise<void> {
    context.log.error(message);
    const text = hint === '' ? message : `${message}. Hint: ${hint}`;
    const chosen = await vscode.window.showErrorMessage(inMessage(`sandboxd: ${text}`), 'Show Log');
    if (chosen !== undefined) {
        context.log.show();
    }
}

/** Run `sandboxd` where a person can talk with it; undefined where nothing is run, which the user was then told. */
export function inTerminal(context: Context, name: string, args: string[], cwd: string): vscode.Terminal | undefined {
    const program = programFor(context);
    if (program === undefined) {
        return undefined;
    }
    // The program itself and no shell: nothing of a folder's name is read as a command.
    const terminal = vscode.window.createTerminal({ name, shellPath: program, shellArgs: args, cwd });
    terminal.show();
    return terminal;
}
