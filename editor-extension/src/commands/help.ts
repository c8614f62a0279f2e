/** The menu of the shield, and the way to a missing program. */

import * as vscode from 'vscode';
import { INSTALL_COMMANDS } from '../executable';
import { currentFolder } from '../folders';
import { projectOf } from '../status/feed';
import { verdict } from '../status/verdict';
import type { Context } from './context';

type Entry = vscode.QuickPickItem & { command?: string };

/** What can be done now: first the state, then the actions that fit it. */
export async function menu(context: Context): Promise<void> {
    const known = context.feed.known;
    const folder = currentFolder();
    const project = known.status !== undefined && folder !== undefined ? projectOf(known.status, folder) : undefined;
    const entries: Entry[] = [];
    if (!vscode.workspace.isTrusted) {
        entries.push({ label: '$(workspace-unknown) Manage Workspace Trust', description: 'files are checked, nothing else is done', command: 'workbench.trust.manage' });
    } else if (context.program() === undefined) {
        entries.push({ label: '$(desktop-download) How to Install sandboxd', command: 'sandboxd.install' });
    } else if (project === undefined) {
        entries.push({ label: '$(new-file) Create sandboxd.toml', description: 'say what this project needs', command: 'sandboxd.init' });
    } else if (project.state === 'running') {
        entries.push(
            { label: '$(beaker) Verify Sandbox', description: 'attack it from inside', command: 'sandboxd.verify' },
            { label: '$(git-compare) Review Changes of Sandbox', description: 'where it works on a copy: see what it did, and bring it', command: 'sandboxd.review' },
            { label: '$(terminal) Open Shell in Sandbox', command: 'sandboxd.shell' },
            { label: '$(output) Show Logs of Sandbox', description: 'what it writes, as it writes it', command: 'sandboxd.logs' },
            { label: '$(plug) Forward Port', description: 'open a port of it on this machine', command: 'sandboxd.forwardPort' },
            { label: '$(dashboard) Measure Cost of Sandbox', description: 'the same work in hardened runc and gVisor', command: 'sandboxd.bench' },
            { label: '$(play) Start Sandbox', description: 'does nothing when it runs as planned', command: 'sandboxd.up' },
            { label: '$(debug-stop) Stop Sandbox', command: 'sandboxd.down' },
        );
    } else {
        entries.push({ label: '$(play) Start Sandbox', command: 'sandboxd.up' });
    }
    if (vscode.workspace.isTrusted && context.program() !== undefined) {
        entries.push({ label: '$(sparkle) Start Agent', description: 'it works on a copy of this folder', command: 'sandboxd.agentStart' });
    }
    if (project !== undefined) {
        entries.push({ label: '$(remote) Reopen in Sandbox', command: 'sandboxd.reopen' });
        entries.push({ label: '$(file-code) Write devcontainer.json', command: 'sandboxd.generate' });
    }
    entries.push(
        { label: '', kind: vscode.QuickPickItemKind.Separator },
        { label: '$(list-tree) Show Sandboxes', command: 'sandboxd.sandboxes.focus' },
        { label: '$(warning) Show Problems', command: 'workbench.actions.view.problems' },
        { label: '$(output) Show Log', command: 'sandboxd.log' },
    );
    const title = project === undefined ? 'sandboxd' : `${verdict(project).label}: ${verdict(project).because}`;
    const chosen = await vscode.window.showQuickPick(entries, { title, placeHolder: 'What to do' });
    if (chosen?.command !== undefined) {
        await vscode.commands.executeCommand(chosen.command);
    }
}

/** Show how to install the program; nothing is installed by us. */
export async function install(reason: string): Promise<void> {
    const chosen = await vscode.window.showInformationMessage(
        'sandboxd is not installed on this machine',
        { modal: true, detail: `${reason}.\n\nRun one of these in a terminal, then "sandboxd: Restart Language Server":\n\n${INSTALL_COMMANDS.join('\n')}` },
        ...INSTALL_COMMANDS.map((command) => `Copy "${command}"`),
    );
    const command = INSTALL_COMMANDS.find((candidate) => chosen === `Copy "${candidate}"`);
    if (command !== undefined) {
        await vscode.env.clipboard.writeText(command);
        void vscode.window.setStatusBarMessage(`Copied: ${command}`, 5000);
    }
}
