/** Trust: what a grant gives away is shown first, and only that is granted. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { sides, type Request } from '../views/grant';
import { printed, type Reports } from '../views/pages';
import { inMessage } from '../views/words';
import { folderOf, runJob, type Context } from './context';

interface Shown {
    folder: string;
    digest: string;
    page: vscode.Uri;
}

export class Trust {
    private shown: Shown | undefined;

    constructor(
        private readonly context: Context,
        private readonly reports: Reports,
    ) {}

    /** Show what the project asks for beside what it has without, then ask. */
    async show(argument: unknown): Promise<void> {
        const folder = folderOf(argument);
        if (folder === undefined) {
            return;
        }
        const ended = await runJob(this.context, { title: 'looking at what is asked for', args: ['trust', 'add', '--json'], folder });
        const request = ended === undefined ? undefined : printed<Request>(ended);
        if (request === undefined) {
            return;
        }
        const name = path.basename(request.project);
        if (!request.needs_grant) {
            void vscode.window.showInformationMessage(inMessage(`sandboxd: ${name} asks for nothing that needs a grant.`));
            return;
        }
        const { before, after } = sides(request);
        // Another request has another page, also of a folder with the same name.
        const page = await this.reports.showTwo(`${request.digest}/${name}.grant`, before, after, `${name}: without the grant ↔ with it`);
        if (request.granted) {
            void vscode.window.showInformationMessage(inMessage(`sandboxd: this is trusted already: ${name}.`));
            return;
        }
        const shown = { folder, digest: request.digest, page };
        this.shown = shown;
        const question = inMessage(`sandboxd: grant ${name} what is shown, until a file of it changes?`);
        const chosen = await vscode.window.showWarningMessage(question, 'Trust');
        if (chosen !== undefined) {
            await this.grantWhile(shown, isOpen(shown.page));
        }
    }

    /** Grant what is in front; where that is something else, a file of a sandbox by such a name too, it is shown instead. */
    async grant(): Promise<void> {
        const { shown } = this;
        return shown === undefined ? this.show(undefined) : this.grantWhile(shown, isInFront(shown.page));
    }

    private async grantWhile(shown: Shown, isSeen: boolean): Promise<void> {
        if (!isSeen) {
            return this.show(vscode.Uri.file(path.join(shown.folder, 'sandboxd.toml')).toString());
        }
        const args = ['trust', 'add', '--expect', shown.digest];
        const ended = await runJob(this.context, { title: 'granting it', args, folder: shown.folder });
        if (ended !== undefined) {
            this.shown = undefined;
            void vscode.window.showInformationMessage('sandboxd: trusted until it changes; `sandboxd trust revoke` takes it back.');
        }
    }
}

function isOpen(page: vscode.Uri): boolean {
    return vscode.window.tabGroups.all.flatMap((group) => group.tabs).some((tab) => isOf(tab, page));
}

function isInFront(page: vscode.Uri): boolean {
    const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
    return tab !== undefined && isOf(tab, page);
}

function isOf({ input }: vscode.Tab, page: vscode.Uri): boolean {
    return input instanceof vscode.TabInputTextDiff && input.modified.toString() === page.toString();
}
