/** Attack the sandbox and show each attempt on a page. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { failure } from '../process';
import { report, type Verdict } from '../views/report';
import { folderOf, runJob, type Context } from './context';

export const SCHEME = 'sandboxd-report';

/** Not everything held; some attempts could not be judged. Both have a report to show. */
const NOT_HELD = 6;
const NOT_SHOWN = 4;

/** The pages made so far, by their path. */
export class Reports implements vscode.TextDocumentContentProvider {
    private readonly pages = new Map<string, string>();
    private readonly changed = new vscode.EventEmitter<vscode.Uri>();
    readonly onDidChange = this.changed.event;

    provideTextDocumentContent(uri: vscode.Uri): string {
        return this.pages.get(uri.path) ?? 'This report is gone: run *sandboxd: Verify Sandbox* again.';
    }

    /** Show `text` as a page named `name`. */
    async show(name: string, text: string): Promise<void> {
        const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}.md` });
        this.pages.set(uri.path, text);
        this.changed.fire(uri);
        await vscode.commands.executeCommand('markdown.showPreview', uri);
    }
}

export async function verify(context: Context, reports: Reports, argument: unknown): Promise<void> {
    const folder = folderOf(argument);
    if (folder === undefined) {
        return;
    }
    const job = { title: 'attacking the sandbox', args: ['verify', '--json'], folder, fine: [NOT_HELD, NOT_SHOWN] };
    const ended = await runJob(context, job);
    if (ended === undefined) {
        return;
    }
    let verdict: Verdict;
    try {
        verdict = JSON.parse(ended.stdout) as Verdict;
    } catch {
        const { message, hint } = failure(ended.stderr);
        void vscode.window.showErrorMessage(`sandboxd: ${message}${hint === '' ? '' : `. Hint: ${hint}`}`);
        return;
    }
    await reports.show(`${path.basename(folder)} verified`, report(verdict, folder, new Date()));
    const escaped = verdict.attempts.filter((attempt) => attempt.outcome === 'escaped');
    if (escaped.length > 0) {
        void vscode.window.showErrorMessage(`sandboxd: the sandbox did not hold: ${escaped.map((attempt) => attempt.id).join(', ')}.`);
    }
}
