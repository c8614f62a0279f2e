/** The ports that this window forwards: each a `sandboxd forward` that runs until it is stopped, or the window ends. */

import * as vscode from 'vscode';
import { failure, run } from '../process';
import { parseForwarded, wish, type Opened } from './model';

interface Running {
    opened: Opened;
    stop: vscode.CancellationTokenSource;
}

export class Forwards implements vscode.Disposable {
    private readonly changed = new vscode.EventEmitter<void>();
    private readonly projects = new Map<string, Map<string, Running>>();
    readonly onDidChange = this.changed.event;

    /** Those of a project, while they are open. */
    of(project: string): Opened[] {
        return [...(this.projects.get(project)?.values() ?? [])].map((running) => running.opened);
    }

    /**
     * Open `port` of the sandbox of `project`: the words of `sandboxd forward`.
     *
     * @throws Error: it cannot be opened; `failed` is called where it ends by itself later
     */
    open(program: string, project: string, port: string, failed: (message: string) => void): Promise<Opened> {
        return new Promise((resolve, reject) => {
            const stop = new vscode.CancellationTokenSource();
            let running: Running | undefined;
            const onLine = (line: string): void => {
                const opened = parseForwarded(line);
                if (opened !== undefined && running === undefined) {
                    running = { opened, stop };
                    this.add(project, running);
                    resolve(opened);
                }
            };
            const ended = (reason: string): void => {
                const wasOpen = running !== undefined && this.remove(project, running);
                if (running === undefined) {
                    reject(new Error(reason));
                } else if (wasOpen) {
                    failed(reason);
                }
                stop.dispose();
            };
            const words = ['forward', '--until-eof', '--json', port];
            run(program, words, { cwd: project, cancel: stop.token, onLine, holdsInput: true }).then(
                ({ stderr }) => ended(failure(stderr).message),
                (error: Error) => ended(error.message),
            );
        });
    }

    /** Close it; the program that carries it cleans up. */
    close(project: string, port: { port: number; service: string }): void {
        const running = this.projects.get(project)?.get(wish(port));
        if (running !== undefined && this.remove(project, running)) {
            running.stop.cancel();
        }
    }

    dispose(): void {
        for (const ports of this.projects.values()) {
            ports.forEach((running) => running.stop.cancel());
        }
        this.projects.clear();
        this.changed.dispose();
    }

    private add(project: string, running: Running): void {
        const ports = this.projects.get(project) ?? new Map<string, Running>();
        ports.set(wish(running.opened), running);
        this.projects.set(project, ports);
        this.changed.fire();
    }

    /** Whether it was there. */
    private remove(project: string, running: Running): boolean {
        const ports = this.projects.get(project);
        if (ports?.get(wish(running.opened)) !== running) {
            return false;
        }
        ports.delete(wish(running.opened));
        this.changed.fire();
        return true;
    }
}
