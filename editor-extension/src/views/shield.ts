/** The shield in the status bar: what is in force for the folder at hand, as last observed. */

import * as vscode from 'vscode';
import { projectOf, type Known, type StatusFeed } from '../status/feed';
import type { Project } from '../status/model';
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
        const project = known.status !== undefined && folder !== undefined ? projectOf(known.status, folder) : undefined;
        if (project === undefined) {
            this.show('none', 'no sandbox', withoutProject(known));
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

function withoutProject(known: Known): vscode.MarkdownString {
    const why =
        known.status === undefined
            ? `Nothing was observed: ${plain(known.reason)}.`
            : 'This folder has no `sandboxd.toml`, so sandboxd runs no sandbox of it.';
    return new vscode.MarkdownString(`**sandboxd**\n\n${why}`);
}

function hover(project: Project, because: string, known: Known): string {
    const profile = project.profile === null ? '' : `, profile ${plain(project.profile)}`;
    const parts = [`**${plain(project.state)}**${profile}\n\n${plain(because)}`];
    const rows = compare(project.asked, project.inForce?.settings ?? null);
    if (rows.length > 0) {
        const cells = rows.map((row) => [
            plain(row.name),
            plain(row.asked),
            row.differs ? `**${plain(row.inForce)}**` : plain(row.inForce),
        ]);
        parts.push(table(['', 'asked', 'engine says'], cells));
    }
    const controls = project.inForce?.controls ?? [];
    const of = (state: string): string[] =>
        controls.filter((control) => control.state === state).map((control) => `${plain(control.name)}: ${plain(control.why)}`);
    for (const [icon, title, found] of [
        ['$(pass)', 'seen in force', of('in force')],
        ['$(warning)', 'not in force', of('not in force')],
        ['$(question)', 'cannot be seen', of('cannot be seen')],
    ] as const) {
        if (found.length > 0) {
            parts.push(`${icon} **${title}**\n${found.map((text) => `- ${text}`).join('\n')}`);
        }
    }
    const counts = countsInWords(project);
    if (counts !== '') {
        parts.push(`Findings: ${counts}`);
    }
    if (project.hint !== null) {
        parts.push(`Next: ${plain(unquoted(project.hint))}`);
    }
    if (known.status !== undefined) {
        parts.push(`Seen at ${known.at.toLocaleTimeString()}`);
    }
    return parts.join('\n\n');
}
