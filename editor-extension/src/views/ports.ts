/** The ports of a project in the side view. What listens inside is asked only while somebody looks. */

import type * as vscode from 'vscode';
import { failure, run } from '../process';
import type { Forwards } from '../ports/forwards';
import { browsable, merge, parseListening, wish, type Listening, type Port } from '../ports/model';
import type { Project } from '../status/model';
import { icon, Line } from './line';
import { visible } from './words';

/** A line of one port. */
export class PortLine extends Line {
    constructor(
        readonly folder: string,
        readonly port: Port,
    ) {
        const { label, program, address } = port;
        const name = visible([label, program].filter((text) => text !== '').join(', '));
        const shown = address === null ? [name, 'inside only'].filter((text) => text !== '').join(', ') : `${visible(address).replace('http://', '')}  ${name}`;
        super(wish(port), {
            description: shown.trim(),
            icon: address === null ? icon('circle-outline') : icon('plug', 'testing.iconPassed'),
            tooltip: [`port ${wish(port)}`, label && `label: ${visible(label)}`, `program: ${visible(program) || 'not seen'}`, address === null ? 'not open on this machine; click to forward it' : `open at ${visible(address)}`]
                .filter(Boolean)
                .join('\n'),
            context: contextOf(port),
        });
        this.project = folder;
        this.command = { ...actionOf(port), arguments: [this] };
    }
}

function actionOf({ address }: Port): vscode.Command {
    if (address === null) {
        return { command: 'sandboxd.forwardPort', title: 'Forward Port' };
    }
    return browsable(address) === undefined
        ? { command: 'sandboxd.copyPort', title: 'Copy Address of Port' }
        : { command: 'sandboxd.openPort', title: 'Open Port in Browser' };
}

/** By the actions that there are: `port.open`, `.web` for a browser, `.ours` where it can be closed. */
function contextOf({ address, isOurs }: Port): string {
    if (address === null) {
        return 'port.inside';
    }
    return `port.open${browsable(address) === undefined ? '' : '.web'}${isOurs ? '.ours' : ''}`;
}

export class Ports {
    constructor(
        private readonly program: () => string | undefined,
        private readonly forwards: Forwards,
    ) {}

    /** The line of a project's ports; none where it has no running sandbox. */
    lines(project: Project): Line[] {
        const open = project.openPorts.length + this.forwards.of(project.path).length;
        if (project.state !== 'running' && open === 0) {
            return [];
        }
        const line = new Line('Ports', {
            description: open === 0 ? '' : `${open} open on this machine`,
            icon: icon('plug'),
            context: 'ports',
            lines: () => this.below(project),
        });
        line.project = project.path;
        return [line];
    }

    private async below(project: Project): Promise<Line[]> {
        const { listening, problem } = await this.listening(project);
        const ports = merge(project.openPorts, this.forwards.of(project.path), listening);
        const rows: Line[] = ports.map((port) => new PortLine(project.path, port));
        if (problem !== '') {
            rows.push(new Line('What listens inside is not known', { description: visible(problem), icon: icon('question') }));
        } else if (rows.length === 0) {
            rows.push(new Line('Nothing listens inside', { icon: icon('dash') }));
        }
        return rows;
    }

    /** What listens inside now, or why that is not known. */
    async listening(project: { path: string }): Promise<{ listening: Listening[]; problem: string }> {
        const program = this.program();
        if (program === undefined) {
            return { listening: [], problem: 'the program sandboxd was not found' };
        }
        try {
            const { stdout, stderr } = await run(program, ['forward', '--json'], { cwd: project.path });
            return stdout === '' ? { listening: [], problem: failure(stderr).message } : { listening: parseListening(stdout), problem: '' };
        } catch (error) {
            return { listening: [], problem: error instanceof Error ? error.message : String(error) };
        }
    }
}
