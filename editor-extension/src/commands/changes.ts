/** Review: what a sandbox changed is listed, each file looked at in the diff editor, and what is chosen is brought. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { applying, type Change, type Review, type Subject } from '../changes/model';
import { ChangeLine, type Changes } from '../views/changes';
import { printed, type Reports } from '../views/pages';
import { inMessage, visible } from '../views/words';
import { folderOf, runJob, type Context } from './context';

export class ChangeCommands {
    constructor(
        private readonly context: Context,
        private readonly reports: Reports,
        private readonly changes: Changes,
    ) {}

    /** List the changes of the project's sandbox. */
    async review(argument: unknown): Promise<void> {
        const folder = folderOf(argument);
        if (folder !== undefined) {
            await this.look({ folder, name: '' });
        }
    }

    /** Look at the same sandbox again. */
    async again(): Promise<void> {
        const { shown } = this.changes;
        await (shown === undefined ? this.review(undefined) : this.look(shown.subject));
    }

    /** Show one file before and after. */
    async open(argument: unknown): Promise<void> {
        const change = argument instanceof ChangeLine ? argument.change : this.changes.selected;
        const subject = this.changes.shown?.subject;
        if (change === undefined || subject === undefined) {
            return;
        }
        if (!change.shown) {
            void vscode.window.showInformationMessage(inMessage(`sandboxd: ${visible(change.path)} is no text, or too large to be shown.`));
            return;
        }
        const title = `${visible(path.posix.basename(change.path))} (${visible(change.kind)} in ${subject.name || 'the sandbox'})`;
        await this.reports.showTwo(`${subject.name}/${change.path}`, change.old ?? '', change.new ?? '', title, true);
    }

    /** Bring what is chosen, if it is still what was shown. */
    async bring(): Promise<void> {
        const { shown } = this.changes;
        if (shown === undefined) {
            return this.again();
        }
        const chosen = shown.choice.changes;
        if (chosen.length === 0) {
            void vscode.window.showInformationMessage('sandboxd: nothing is chosen.');
            return;
        }
        if (!(await agrees(chosen)) || !(await agreesToDelete(shown.choice.deletions))) {
            return;
        }
        const { args, input } = applying(shown.subject, shown.choice);
        const ended = await runJob(this.context, { title: 'bringing the changes', args, folder: shown.subject.folder, input });
        if (ended !== undefined) {
            const said = ended.stderr.split('\n').filter((line) => line.startsWith('brought')).at(-1) ?? 'brought';
            void vscode.window.showInformationMessage(inMessage(`sandboxd: ${said}.`));
        }
        await this.look(shown.subject, false);
    }

    /** Keep the commits of the sandbox as refs, which nothing checks out. */
    async keepCommits(): Promise<void> {
        const subject = this.changes.shown?.subject;
        if (subject === undefined) {
            return;
        }
        const name = subject.name === '' ? [] : ['--name', subject.name];
        const ended = await runJob(this.context, { title: 'keeping the commits', args: ['review', ...name, '--stat', '--save'], folder: subject.folder });
        if (ended !== undefined) {
            const refs = ended.stdout.split('\n').filter((line) => line.startsWith('refs/'));
            const words = refs.length === 0 ? 'there is nothing new to keep' : `kept, nothing is checked out: ${refs.join(', ')}`;
            void vscode.window.showInformationMessage(inMessage(`sandboxd: ${words}`));
        }
    }

    /** List the changes of a sandbox, and put the cursor there where that was asked for. */
    async look(subject: Subject, isAsked = true): Promise<void> {
        const name = subject.name === '' ? [] : ['--name', subject.name];
        const ended = await runJob(this.context, { title: 'collecting the changes', args: ['review', ...name, '--json'], folder: subject.folder });
        const review = ended === undefined ? undefined : printed<Review>(ended);
        if (review === undefined) {
            return;
        }
        if (isAsked && (!review.copy || review.changes.length === 0)) {
            const words = review.copy ? 'no file differs from the workspace' : 'this sandbox works on your folder itself, so there is nothing to bring';
            void vscode.window.showInformationMessage(inMessage(`sandboxd: ${words}.`));
        }
        const isAny = review.copy && (review.changes.length > 0 || review.commits);
        await this.changes.show(subject, isAny ? review : undefined);
        if (isAny && isAsked) {
            await vscode.commands.executeCommand('sandboxd.changes.focus');
        }
    }
}

async function agrees(chosen: readonly Change[]): Promise<boolean> {
    const acting = chosen.filter((change) => change.control !== null);
    const detail = acting.length === 0 ? '' : `These act on this machine:\n${acting.slice(0, 10).map((change) => `${visible(change.path)}: ${visible(change.control ?? '')}`).join('\n')}${acting.length > 10 ? `\nand ${acting.length - 10} more` : ''}`;
    const count = chosen.length === 1 ? '1 change' : `${chosen.length} changes`;
    return (await vscode.window.showWarningMessage(inMessage(`Bring ${count} into the workspace?`), { modal: true, detail: inMessage(detail) }, 'Bring')) !== undefined;
}

/** Deletions are agreed to by their number, as in a terminal. */
async function agreesToDelete(count: number): Promise<boolean> {
    if (count === 0) {
        return true;
    }
    const typed = await vscode.window.showInputBox({
        title: `Delete ${count === 1 ? '1 file' : `${count} files`} of the workspace?`,
        prompt: 'Type the number of files to delete them',
        validateInput: (text) => (text === '' || text.trim() === String(count) ? undefined : `${count} would be deleted`),
    });
    return typed?.trim() === String(count);
}
