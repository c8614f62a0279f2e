/** Running the `sandboxd` program: its output by line, its end, and a way to stop it. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What `run` needs of an editor's CancellationToken. */
export interface Cancel {
    readonly isCancellationRequested: boolean;
    onCancellationRequested(listener: () => void): { dispose(): void };
}

export interface Options {
    cwd: string;
    /** Called with each line of stderr, where sandboxd says what it does. */
    onStatus?: (line: string) => void;
    /** Called with each line of stdout as it comes; it is then not part of the result. */
    onLine?: (line: string) => void;
    /** Called with each piece of stdout and stderr as it comes, however long its lines are; the result then has neither. */
    onText?: (text: string) => void;
    /** What it reads from stdin, which is otherwise empty. */
    input?: string;
    /** Leave stdin open as long as this process lives: by its end the program learns that we are gone. */
    holdsInput?: boolean;
    cancel?: Cancel;
}

export interface Ended {
    /** The exit code; null when it was ended by a signal. */
    code: number | null;
    stdout: string;
    stderr: string;
    cancelled: boolean;
    /** Whether it printed more than is kept; the rest is not in the result. */
    overflowed: boolean;
}

const PATIENCE_MS = 5000;
/** Characters of stdout and stderr together. */
export const MOST_OUTPUT = 32 * 1024 * 1024;

/** Run to the end. Rejects only when the program cannot be started. */
export function run(program: string, args: readonly string[], options: Options): Promise<Ended> {
    return new Promise((resolve, reject) => {
        const child = spawn(program, [...args], {
            cwd: options.cwd,
            stdio: ['pipe', 'pipe', 'pipe'],
            shell: false,
            env: { ...process.env, NO_COLOR: '1', COLUMNS: '120' },
        });
        // It may end without having read it all.
        child.stdin.on('error', () => undefined);
        if (options.holdsInput !== true) {
            child.stdin.end(options.input ?? '');
        }
        const kept = new Kept();
        if (options.onText === undefined) {
            createInterface({ input: child.stdout }).on('line', options.onLine ?? ((line) => kept.add(kept.out, line)));
            createInterface({ input: child.stderr }).on('line', (line) => {
                kept.add(kept.err, line);
                options.onStatus?.(line);
            });
        } else {
            child.stdout.setEncoding('utf8').on('data', options.onText);
            child.stderr.setEncoding('utf8').on('data', options.onText);
        }
        let impatient: NodeJS.Timeout | undefined;
        const stop = (): void => {
            // As Ctrl-C does: sandboxd cleans up after itself.
            child.kill('SIGINT');
            impatient = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
        };
        const listening = options.cancel?.onCancellationRequested(stop);
        if (options.cancel?.isCancellationRequested === true) {
            stop();
        }
        const finish = (): void => {
            clearTimeout(impatient);
            listening?.dispose();
        };
        child.on('error', (error) => {
            finish();
            reject(error);
        });
        child.on('close', (code) => {
            finish();
            const cancelled = options.cancel?.isCancellationRequested === true;
            resolve({ code, stdout: kept.out.join('\n'), stderr: kept.err.join('\n'), cancelled, overflowed: kept.isFull });
        });
    });
}

/** The lines of both streams, as far as there is room for them. */
class Kept {
    readonly out: string[] = [];
    readonly err: string[] = [];
    isFull = false;
    private size = 0;

    add(lines: string[], line: string): void {
        this.size += line.length;
        if (this.size < MOST_OUTPUT) {
            lines.push(line);
        } else {
            this.isFull = true;
        }
    }
}

/** The error that ended a command: its message, and its next step when it names one. Notes before it may have hints of their own. */
export function failure(stderr: string): { message: string; hint: string } {
    const lines = stderr.split('\n').map((line) => line.trim());
    const start = lines.map((line) => line.startsWith('error:')).lastIndexOf(true);
    if (start < 0) {
        const last = lines.filter((line) => line !== '').at(-1) ?? '';
        return { message: last || 'sandboxd said nothing', hint: '' };
    }
    const message = lines[start]?.slice('error:'.length).trim() ?? '';
    const hint = lines.slice(start).find((line) => line.startsWith('hint:')) ?? '';
    return { message: message || 'sandboxd said nothing', hint: hint.slice('hint:'.length).trim() };
}
