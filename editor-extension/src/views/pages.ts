/** Pages that are made here and shown by VS Code's own Markdown preview. */

import * as vscode from 'vscode';
import { failure, type Ended } from '../process';
import { inMessage } from './words';

export const SCHEME = 'sandboxd-report';

/** The pages made so far, by their path. */
export class Reports implements vscode.TextDocumentContentProvider {
    private readonly pages = new Map<string, string>();
    private readonly changed = new vscode.EventEmitter<vscode.Uri>();
    readonly onDidChange = this.changed.event;

    provideTextDocumentContent(uri: vscode.Uri): string {
        return this.pages.get(uri.path) ?? 'This report is gone: run the command again.';
    }

    /** Show `text` as a page named `name`. */
    async show(name: string, text: string): Promise<void> {
        await vscode.commands.executeCommand('markdown.showPreview', this.keep(`${name}.md`, text));
    }

    /** Show a unified difference as what it is. */
    async showDifference(name: string, text: string): Promise<void> {
        await vscode.window.showTextDocument(this.keep(`${name}.diff`, text), { preview: true });
    }

    /** Show two texts beside each other; returns the address of the second one. */
    async showTwo(name: string, before: string, after: string, title: string, preserveFocus = false): Promise<vscode.Uri> {
        const right = this.keep(`after/${name}`, after);
        await vscode.commands.executeCommand('vscode.diff', this.keep(`before/${name}`, before), right, title, { preview: true, preserveFocus });
        return right;
    }

    private keep(name: string, text: string): vscode.Uri {
        const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}` });
        this.pages.set(uri.path, text);
        this.changed.fire(uri);
        return uri;
    }
}

/** The JSON that a command printed; undefined when it printed none, which the user was then told. */
export function printed<T>(ended: Ended): T | undefined {
    try {
        return JSON.parse(ended.stdout) as T;
    } catch {
        const { message, hint } = failure(ended.stderr);
        void vscode.window.showErrorMessage(inMessage(`sandboxd: ${message}${hint === '' ? '' : `. Hint: ${hint}`}`));
        return undefined;
    }
}
