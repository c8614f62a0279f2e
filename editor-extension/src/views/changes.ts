/** The view Changes: what one sandbox changed, each file with a box, to be looked at and brought. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { Choice, counts, GROUPS, type Change, type Group, type Review, type Subject } from '../changes/model';
import { icon, Line } from './line';
import { visible } from './words';

const TITLES: Record<Group, string> = {
    'acts here': 'Acts on this machine',
    files: 'Files',
    deleted: 'Deleted',
    'not brought': 'Never brought',
};
const KINDS = { added: 'added', changed: 'modified', deleted: 'deleted' } as const;

class GroupLine extends Line {
    constructor(
        readonly changes: Change[],
        group: Group,
        choice: Choice,
    ) {
        super(TITLES[group], {
            description: group === 'not brought' ? String(changes.length) : counts(changes, choice),
            icon: group === 'acts here' || group === 'not brought' ? icon('warning', 'list.warningForeground') : undefined,
            lines: changes.map((change) => new ChangeLine(change, choice)),
            open: group !== 'not brought',
        });
        this.id = group;
        if (group !== 'not brought') {
            this.checkboxState = box(changes.every((change) => choice.has(change)), TITLES[group]);
        }
    }
}

/** One file. */
export class ChangeLine extends Line {
    constructor(
        readonly change: Change,
        choice: Choice,
    ) {
        const { added, removed, blocked, control, kind } = change;
        const lines = added === null || removed === null ? 'no text' : `+${added} −${removed}`;
        const folder = path.posix.dirname(change.path);
        const words = [blocked ?? control ?? '', ...change.remarks].filter((text) => text !== '').map(visible);
        super(visible(path.posix.basename(change.path)), {
            description: [...words.slice(0, 1), lines, folder === '.' ? '' : visible(folder)].filter((text) => text !== '').join('  '),
            icon: icon(`diff-${KINDS[kind]}`.replace('diff-deleted', 'diff-removed'), `gitDecoration.${KINDS[kind]}ResourceForeground`),
            tooltip: [visible(change.path), kind, lines, ...words].join('\n'),
            context: 'change',
        });
        this.id = `change:${change.path}`;
        this.command = { command: 'sandboxd.openChange', title: 'Show Difference', arguments: [this] };
        if (blocked === null) {
            this.checkboxState = box(choice.has(change), visible(change.path));
        }
    }
}

function box(isChecked: boolean, what: string): { state: vscode.TreeItemCheckboxState; tooltip: string; accessibilityInformation: vscode.AccessibilityInformation } {
    const { Checked, Unchecked } = vscode.TreeItemCheckboxState;
    const tooltip = isChecked ? 'is brought' : 'is left out';
    return { state: isChecked ? Checked : Unchecked, tooltip, accessibilityInformation: { label: `${what}: ${tooltip}`, role: 'checkbox' } };
}

export class Changes implements vscode.TreeDataProvider<Line>, vscode.Disposable {
    private readonly changed = new vscode.EventEmitter<void>();
    private readonly view: vscode.TreeView<Line>;
    readonly onDidChangeTreeData = this.changed.event;
    /** What is looked at now. */
    shown: { subject: Subject; choice: Choice } | undefined;

    constructor() {
        this.view = vscode.window.createTreeView('sandboxd.changes', { treeDataProvider: this, manageCheckboxStateManually: true, showCollapseAll: false });
        this.view.onDidChangeCheckboxState(({ items }) => this.choose(items));
    }

    dispose(): void {
        this.view.dispose();
        this.changed.dispose();
    }

    /** Show a review, or nothing any more. */
    async show(subject: Subject, review: Review | undefined): Promise<void> {
        this.shown = review === undefined ? undefined : { subject, choice: new Choice(review) };
        await vscode.commands.executeCommand('setContext', 'sandboxd.reviewing', review !== undefined);
        if (review !== undefined) {
            this.view.description = visible(subject.name === '' ? path.basename(subject.folder) : subject.name);
            this.view.message = messageOf(review);
        }
        this.changed.fire();
    }

    /** The file that is selected. */
    get selected(): Change | undefined {
        const line = this.view.selection[0];
        return line instanceof ChangeLine ? line.change : undefined;
    }

    /** Choose what is selected, or leave it out: the editor has no key for a box. */
    toggle(): void {
        const changes = changesOf(this.view.selection[0]);
        const choice = this.shown?.choice;
        if (choice !== undefined) {
            choice.set(changes, !changes.every((change) => choice.has(change)));
            this.changed.fire();
        }
    }

    getTreeItem(line: Line): vscode.TreeItem {
        return line;
    }

    getChildren(line?: Line): Line[] | Promise<Line[]> {
        if (line !== undefined) {
            return line.lines();
        }
        const choice = this.shown?.choice;
        if (choice === undefined) {
            return [];
        }
        return GROUPS.map((group) => ({ group, changes: choice.of(group) }))
            .filter(({ changes }) => changes.length > 0)
            .map(({ group, changes }) => new GroupLine(changes, group, choice));
    }

    private choose(items: readonly [Line, vscode.TreeItemCheckboxState][]): void {
        for (const [line, state] of items) {
            this.shown?.choice.set(changesOf(line), state === vscode.TreeItemCheckboxState.Checked);
        }
        this.changed.fire();
    }
}

function changesOf(line: Line | undefined): Change[] {
    return line instanceof GroupLine ? line.changes : line instanceof ChangeLine ? [line.change] : [];
}

function messageOf(review: Review): string | undefined {
    const parts = [
        review.ended_seconds === null ? '' : 'Of a sandbox that has ended.',
        review.not_looked_at === null ? '' : `Not looked at: ${visible(review.not_looked_at)}.`,
        review.commits ? 'There are commits as well: "Keep Commits".' : '',
    ].filter((text) => text !== '');
    return parts.length === 0 ? undefined : parts.join(' ');
}
