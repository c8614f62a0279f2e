/** Which folder is meant when nobody says so. */

import { realpathSync } from 'node:fs';
import * as vscode from 'vscode';

/** The open folders on disk, symbolic links resolved as sandboxd does. */
export function openFolders(): string[] {
    return (vscode.workspace.workspaceFolders ?? [])
        .filter((folder) => folder.uri.scheme === 'file')
        .map((folder) => real(folder.uri.fsPath));
}

/** The folder of the file in front, else the first; undefined when none is open. */
export function currentFolder(): string | undefined {
    const front = vscode.window.activeTextEditor?.document.uri;
    const folder = front === undefined ? undefined : vscode.workspace.getWorkspaceFolder(front);
    return folder?.uri.scheme === 'file' ? real(folder.uri.fsPath) : openFolders()[0];
}

function real(path: string): string {
    try {
        return realpathSync(path);
    } catch {
        return path;
    }
}
