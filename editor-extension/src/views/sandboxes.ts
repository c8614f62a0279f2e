/** The side view: each project, asked against in force, findings, and what the host can do. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { openFolders } from '../folders';
import { inState, lostByPlan } from '../status/controls';
import type { StatusFeed } from '../status/feed';
import { actionOf } from '../status/hint';
import type { Control, Project, Runtime, Seen, Status } from '../status/model';
import { countsInWords, verdict, verifiedInShort, verifiedInWords, type Level } from '../status/verdict';
import type { Forwards } from '../ports/forwards';
import { icon, Line } from './line';
import type { Ports } from './ports';
import { compare, unquoted } from './words';

export class Sandboxes implements vscode.TreeDataProvider<Line>, vscode.Disposable {
    private readonly changed = new vscode.EventEmitter<void>();
    private readonly subscriptions: vscode.Disposable[];
    readonly onDidChangeTreeData = this.changed.event;

    constructor(
        private readonly feed: StatusFeed,
        private readonly ports: Ports,
        forwards: Forwards,
    ) {
        const draw = (): void => this.changed.fire();
        this.subscriptions = [feed.onDidChange(draw), forwards.onDidChange(draw)];
    }

    dispose(): void {
        this.subscriptions.forEach((subscription) => subscription.dispose());
        this.changed.dispose();
    }

    getTreeItem(line: Line): vscode.TreeItem {
        return line;
    }

    getChildren(line?: Line): Line[] | Promise<Line[]> {
        if (line !== undefined) {
            return line.lines();
        }
        const known = this.feed.known;
        // Without a project the view's welcome text says what to do.
        return known.status === undefined || known.status.projects.length === 0 ? [] : lines(known.status, this.ports);
    }
}

function lines(status: Status, ports: Ports): Line[] {
    const here = openFolders();
    const isHere = (project: Project): boolean =>
        here.some((folder) => project.path === folder || project.path.startsWith(`${folder}/`) || folder.startsWith(`${project.path}/`));
    const sorted = [...status.projects].sort((a, b) => Number(isHere(b)) - Number(isHere(a)));
    return [...sorted.map((project) => projectLine(project, isHere(project), ports)), hostLine(status), daemonLine(status)];
}

function projectLine(project: Project, open: boolean, ports: Ports): Line {
    const { label, level, because } = verdict(project);
    const below = [...problem(project), ...held(project), ...lost(project), ...findings(project), ...ports.lines(project), ...inOrder(project), ...settings(project)];
    const line = new Line(path.basename(project.path), {
        description: label,
        icon: levelIcon(level),
        tooltip: `${project.path}\n${because}`,
        context: project.state === 'running' ? 'project.up' : 'project.down',
        lines: below,
        open,
    });
    line.id = project.path;
    line.project = project.path;
    return line;
}

const VERIFY = 'sandboxd.verify';

/** What is broken, and the next step. */
function problem(project: Project): Line[] {
    const wrong = [...project.lost, ...(project.problem === null ? [] : [project.problem])];
    const rows = wrong.map((text) => new Line(unquoted(text), { icon: icon('error', 'list.errorForeground') }));
    if (project.hint === null) {
        return rows;
    }
    const action = actionOf(project.hint);
    if (action.command === VERIFY && project.verified === null) {
        return rows;
    }
    const hint = new Line(action.title, {
        description: unquoted(project.hint),
        icon: icon('lightbulb'),
        command: { command: action.command, title: action.title, arguments: [action.typed ?? vscode.Uri.file(path.join(project.path, 'sandboxd.toml')).toString()] },
    });
    return [...rows, hint];
}

/** Whether it was attacked, and what came of it. */
function held(project: Project): Line[] {
    if (project.state !== 'running') {
        return [];
    }
    if (project.verified === null) {
        const uri = vscode.Uri.file(path.join(project.path, 'sandboxd.toml')).toString();
        const command = { command: VERIFY, title: 'Verify Sandbox', arguments: [uri] };
        return [new Line('Not attacked yet', { description: 'click to verify', icon: icon('beaker'), command })];
    }
    const { state, notTried, open } = project.verified;
    const parts = [
        ...notTried.map((name) => new Line(name, { description: 'not tried: there was nothing to attack', icon: icon('dash') })),
        ...open.map((name) => new Line(name, { description: 'open on purpose', icon: icon('globe') })),
    ];
    const icons = { held: icon('pass', 'testing.iconPassed'), escaped: icon('error', 'list.errorForeground') };
    const { label, rest } = verifiedInShort(project.verified);
    return [
        new Line(label, {
            description: rest,
            tooltip: verifiedInWords(project.verified),
            icon: state === 'held' || state === 'escaped' ? icons[state] : icon('question'),
            lines: parts.length === 0 ? undefined : parts,
        }),
    ];
}

/** What is not as it should be, each with its reason. */
function lost(project: Project): Line[] {
    if (project.inForce === null && project.state === 'running') {
        return [new Line('Nothing could be seen', { icon: icon('eye-closed') })];
    }
    const rows = [...inState(project, 'not in force'), ...lostByPlan(project), ...inState(project, 'not seen'), ...inState(project, 'open')].map(controlLine);
    const drift = project.drift.map((text) => new Line(text, { description: 'drift', icon: icon('diff') }));
    return [...drift, ...rows];
}

/** What is in order, as a number. */
function inOrder(project: Project): Line[] {
    return (['left out', 'in force'] as const)
        .map((state) => ({ state, controls: inState(project, state) }))
        .filter(({ controls }) => controls.length > 0)
        .map(({ state, controls }) => {
            const label = state === 'in force' ? 'In force' : 'Left out';
            const description = `${controls.length} ${controls.length === 1 ? 'control' : 'controls'}`;
            return new Line(label, { description, icon: SEEN[state], lines: controls.map(controlLine) });
        });
}

function settings(project: Project): Line[] {
    const rows = compare(project.asked, project.inForce?.settings ?? null).map(
        (row) =>
            new Line(row.name, {
                description: row.differs ? `${row.inForce} (asked: ${row.asked})` : row.asked,
                icon: row.differs ? icon('warning', 'list.warningForeground') : icon('dash'),
                tooltip: `${row.name}\nasked: ${row.asked}\nengine says: ${row.inForce}`,
            }),
    );
    if (rows.length === 0) {
        return [];
    }
    const profile = project.profile === null ? '' : `profile ${project.profile}`;
    return [new Line('Asked for', { description: profile, icon: icon('checklist'), lines: rows })];
}

const SEEN: Record<Seen, vscode.ThemeIcon> = {
    'in force': icon('pass', 'testing.iconPassed'),
    'not in force': icon('warning', 'list.warningForeground'),
    'not seen': icon('question'),
    'left out': icon('dash'),
    open: icon('globe'),
};

function controlLine(control: Control): Line {
    return new Line(control.name, {
        description: control.state === 'in force' || control.state === 'left out' ? control.why : `${control.state}: ${unquoted(control.why)}`,
        icon: SEEN[control.state],
        tooltip: `${control.name}: ${control.state}\n${control.why}`,
    });
}

function findings(project: Project): Line[] {
    if (project.findings === null) {
        return [new Line('Findings', { description: 'not checked', icon: icon('question') })];
    }
    const words = countsInWords(project);
    return [
        new Line('Findings', {
            description: words === '' ? 'none' : words,
            icon: project.findings.error > 0 ? icon('error', 'list.errorForeground') : icon('search'),
            command: { command: 'workbench.actions.view.problems', title: 'Show Problems' },
        }),
    ];
}

function hostLine(status: Status): Line {
    const engine = status.engine;
    if (engine === null) {
        return new Line('Host', { description: 'not asked yet', icon: icon('server') });
    }
    if (engine.error !== null) {
        const lines = engine.hint === null ? [] : [new Line(unquoted(engine.hint), { icon: icon('lightbulb') })];
        return new Line('Host', { description: unquoted(engine.error), icon: icon('warning', 'list.warningForeground'), lines });
    }
    return new Line('Host', { description: engine.name, icon: icon('server'), lines: engine.runtimes.map(runtimeLine) });
}

function runtimeLine(runtime: Runtime): Line {
    const kind = runtime.gvisor ? ' (gVisor)' : '';
    const state = runtime.usable === true ? 'starts containers' : runtime.usable === false ? 'not usable' : 'not tried';
    return new Line(`${runtime.name}${kind}`, {
        description: runtime.why === null ? state : `${state}: ${runtime.why}`,
        icon: runtime.usable === true ? SEEN['in force'] : icon('circle-slash'),
        tooltip: [runtime.name, state, runtime.why, runtime.fix].filter(Boolean).join('\n'),
    });
}

function daemonLine(status: Status): Line {
    if (status.daemon.running) {
        return new Line('Daemon', { description: 'keeps the files generated', icon: icon('sync') });
    }
    return new Line('Daemon', {
        description: 'not running: click to start',
        icon: icon('circle-outline'),
        command: { command: 'sandboxd.daemonStart', title: 'Start Daemon' },
    });
}

function levelIcon(level: Level): vscode.ThemeIcon {
    switch (level) {
        case 'held':
            return icon('workspace-trusted', 'testing.iconPassed');
        case 'weak':
            return icon('workspace-untrusted', 'list.errorForeground');
        case 'attention':
            return icon('workspace-unknown', 'list.warningForeground');
        case 'none':
            return icon('shield');
        case 'unknown':
            return icon('workspace-unknown');
    }
}
