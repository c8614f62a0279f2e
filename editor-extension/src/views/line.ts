/** One line of a view, with the lines below it. */

import * as vscode from 'vscode';

export interface LineOptions {
    description?: string;
    icon?: vscode.ThemeIcon;
    tooltip?: string;
    /** What menus know it by. */
    context?: string;
    command?: vscode.Command;
    /** The lines below; a function is asked for them each time they are shown. */
    lines?: Line[] | (() => Promise<Line[]>);
    open?: boolean;
}

export class Line extends vscode.TreeItem {
    /** The project's folder, on lines of a project. */
    project: string | undefined;
    readonly lines: () => Line[] | Promise<Line[]>;

    constructor(label: string, options: LineOptions = {}) {
        const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;
        super(label, options.lines === undefined ? None : options.open === true ? Expanded : Collapsed);
        const lines = options.lines ?? [];
        this.lines = typeof lines === 'function' ? lines : () => lines;
        this.description = options.description;
        this.iconPath = options.icon;
        this.tooltip = options.tooltip ?? [label, options.description].filter(Boolean).join(': ');
        this.contextValue = options.context;
        this.command = options.command;
    }
}

/** An icon of the editor's own, in one of its colours. */
export function icon(name: string, colour?: string): vscode.ThemeIcon {
    return new vscode.ThemeIcon(name, colour === undefined ? undefined : new vscode.ThemeColor(colour));
}
