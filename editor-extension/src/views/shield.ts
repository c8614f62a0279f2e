/** The shield in the status bar: what is in force for the folder at hand, as last observed. */

import * as vscode from 'vscode';
import { inState, lostByPlan } from '../status/controls';
import { projectOf, type Known, type StatusFeed } from '../status/feed';
import type { Control, Project, Seen } from '../status/model';
import { countsInWords, verdict, type Level } from '../status/verdict';
import { currentFolder } from '../folders';
import { compare, plain, table, unquoted } from './words';

const ICONS: Record<Level, string> = {
    held: '$(workspace-trusted)',
    attention: '$(workspace-unknown)',
    weak: '$(workspace-untrusted)',
    none: '$(shield)',
    unknown: '$(workspace-unknown)',
};

export class Shield implements vscode.Disposable {
    private readonly item = vscode.window.createStatusBarItem('sandboxd.shield', vscode.StatusBarAlignment.Left, 90);
    private readonly subscriptions: vscode.Disposable[] = [];

    constructor(private readonly feed: StatusFeed) {
        this.item.name = 'Sandbox';
        this.item.command = 'sandboxd.menu';
        this.subscriptions.push(
            feed.onDidChange(() => this.draw()),
            vscode.window.onDidChangeActiveTextEditor(() => this.draw()),
            vscode.workspace.onDidGrantWorkspaceTrust(() => this.draw()),
        );
        this.draw();
        this.item.show();
    }

    dispose(): void {
        this.subscriptions.forEach((subscription) => subscription.dispose());
        this.item.dispose();
    }

    private draw(): void {
        const known = this.feed.known;
        const folder = currentFolder();
        if (known.status === undefined) {
            const label = vscode.workspace.isTrusted ? 'unknown' : 'restricted';
            this.show('unknown', label, note(`Nothing was observed: ${plain(known.reason)}.`));
            return;
        }
        const project = folder === undefined ? undefined : projectOf(known.status, folder);
        if (project === undefined) {
            this.show('none', 'no sandbox', note('This folder has no `sandboxd.toml`, so sandboxd runs no sandbox of it.'));
            return;
        }
        const { label, level, because } = verdict(project);
        this.show(level, label, new vscode.MarkdownString(hover(project, because, known), true));
    }

    private show(level: Level, label: string, tooltip: vscode.MarkdownString): void {
        this.item.text = `${ICONS[level]} ${label}`;
        this.item.tooltip = tooltip;
        this.item.accessibilityInformation = { label: `Sandbox: ${label}`, role: 'button' };
        const colour = { weak: 'statusBarItem.errorBackground', attention: 'statusBarItem.warningBackground' };
        const background = level === 'weak' || level === 'attention' ? colour[level] : undefined;
        this.item.backgroundColor = background === undefined ? undefined : new vscode.ThemeColor(background);
    }
}

function note(text: string): vscode.MarkdownString {
    return new vscode.MarkdownString(`**sandboxd**\n\n${text}`);
}

function hover(project: Project, because: string, known: Known): string {
    const profile = project.profile === null ? '' : `, profile ${plain(project.profile)}`;
    const parts = [`**${plain(project.state)}**${profile}\n\n${plain(because)}`, ...controls(project), ...settings(project)];
    const counts = countsInWords(project);
    if (counts !== '') {
        parts.push(`$(search) Findings: ${counts}`);
    }
    if (project.hint !== null) {
        parts.push(`$(lightbulb) ${plain(unquoted(project.hint))}`);
    }
    if (known.status !== undefined) {
        parts.push(`$(eye) Looked at ${known.at.toLocaleTimeString()}`);
    }
    return parts.join('\n\n');
}

/** A table where asked and given differ, else one line. */
function settings(project: Project): string[] {
    const rows = compare(project.asked, project.inForce?.settings ?? null);
    const different = rows.filter((row) => row.differs);
    if (different.length > 0) {
        const cells = different.map((row) => [plain(row.name), plain(row.asked), `**${plain(row.inForce)}**`]);
        return [table(['', 'asked', 'engine says'], cells)];
    }
    const words = rows.map((row) => `${plain(row.name)} ${plain(row.asked)}`).join('; ');
    const title = project.inForce === null ? 'Asked for' : 'Asked for, and what the engine says';
    return rows.length === 0 ? [] : [`${title}: ${words}`];
}

/** What was seen of its controls: the reason where it is not well, then names where all is. */
function controls(project: Project): string[] {
    const reasons = (state: Seen, more: Control[] = []): string[] => {
        const rows = [...inState(project, state), ...more].map((control) => `- ${plain(control.name)}: ${plain(unquoted(control.why))}`);
        return rows.length === 0 ? [] : [`${SEEN[state]} **${capital(state)}**\n${rows.join('\n')}`];
    };
    const names = (state: Seen): string[] => {
        const listed = inState(project, state).map((control) => plain(control.name));
        return listed.length === 0 ? [] : [`${SEEN[state]} **${capital(state)}**: ${listed.join(', ')}`];
    };
    return [...reasons('not in force', lostByPlan(project)), ...reasons('not seen'), ...reasons('open'), ...names('left out'), ...names('in force')];
}

const SEEN: Record<Seen, string> = {
    'not in force': '$(warning)',
    'not seen': '$(question)',
    open: '$(globe)',
    'left out': '$(dash)',
    'in force': '$(pass)',
};

function capital(text: string): string {
    return text.charAt(0).toUpperCase() + text.slice(1);
}
