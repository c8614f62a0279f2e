/**
 * Which `sandboxd` program is started, and which other tools.
 *
 * Never one inside an open folder, trusted or not: what runs in the sandbox writes there, so a
 * program found there would be its way out. Only the machine's own settings may name such a path.
 */

import * as path from 'node:path';

/** What is asked of the file system; the tests bring their own. */
export interface Disk {
    /** Whether `file` can be executed by this user. */
    isExecutable(file: string): boolean;
    /** `file` without symbolic links, or itself where it is not there. */
    real(file: string): string;
}

export interface Search {
    /** The name of the program; `sandboxd` where it is not said. */
    name?: string;
    /** The setting `sandboxd.path` of the machine; '' when unset. */
    setting: string;
    environ: Readonly<Record<string, string | undefined>>;
    home: string;
    /** The open folders. */
    folders: readonly string[];
    platform: NodeJS.Platform;
    disk: Disk;
}

export interface Found {
    program: string;
    /** Where it was found, for the log. */
    from: string;
}

export interface NotFound {
    program: undefined;
    /** Why, for a person. */
    reason: string;
}

/** The program to start, or why there is none. */
export function findProgram(search: Search): Found | NotFound {
    if (search.setting !== '') {
        return fromSetting(search);
    }
    const refused: string[] = [];
    for (const { folder, from } of candidates(search)) {
        for (const name of names(search)) {
            const program = path.join(folder, name);
            if (!search.disk.isExecutable(program)) {
                continue;
            }
            if (isInside(program, search) || isInside(search.disk.real(program), search)) {
                refused.push(program);
                continue;
            }
            return { program, from };
        }
    }
    const also = refused.length === 0 ? '' : `; not used, since it lies in an open folder: ${refused.join(', ')}`;
    return { program: undefined, reason: `no program ${nameOf(search)} in PATH, ~/.local/bin or the folders of uv and pipx${also}` };
}

function fromSetting(search: Search): Found | NotFound {
    const program = search.setting.replace(/^~(?=$|[/\\])/, search.home);
    if (!path.isAbsolute(program)) {
        return { program: undefined, reason: `the setting sandboxd.path is not an absolute path: ${search.setting}` };
    }
    if (!search.disk.isExecutable(program)) {
        return { program: undefined, reason: `the setting sandboxd.path names no program: ${search.setting}` };
    }
    return { program, from: 'the setting sandboxd.path' };
}

function* candidates(search: Search): Generator<{ folder: string; from: string }> {
    const { environ, home } = search;
    const separator = search.platform === 'win32' ? ';' : ':';
    for (const folder of (environ['PATH'] ?? environ['Path'] ?? '').split(separator)) {
        // A relative entry would mean whatever folder the editor happens to be in.
        if (path.isAbsolute(folder)) {
            yield { folder, from: 'PATH' };
        }
    }
    // An editor started from a desktop often does not have the shell's PATH.
    yield { folder: path.join(home, '.local', 'bin'), from: '~/.local/bin' };
    for (const name of ['UV_TOOL_BIN_DIR', 'XDG_BIN_HOME', 'PIPX_BIN_DIR']) {
        const folder = environ[name];
        if (folder !== undefined && path.isAbsolute(folder)) {
            yield { folder, from: name };
        }
    }
    const data = environ['XDG_DATA_HOME'] ?? path.join(home, '.local', 'share');
    const bin = search.platform === 'win32' ? 'Scripts' : 'bin';
    yield { folder: path.join(data, 'uv', 'tools', 'sandboxd', bin), from: 'the tools of uv' };
    yield { folder: path.join(data, 'pipx', 'venvs', 'sandboxd', bin), from: 'the environments of pipx' };
    yield { folder: path.join(home, '.local', 'pipx', 'venvs', 'sandboxd', bin), from: 'the environments of pipx' };
    if (search.platform === 'darwin') {
        yield { folder: '/opt/homebrew/bin', from: 'Homebrew' };
        yield { folder: '/usr/local/bin', from: '/usr/local/bin' };
    }
}

function names(search: Search): string[] {
    return search.platform === 'win32' ? [`${nameOf(search)}.exe`] : [nameOf(search)];
}

function nameOf(search: Search): string {
    return search.name ?? 'sandboxd';
}

function isInside(file: string, search: Search): boolean {
    return search.folders
        .flatMap((folder) => [folder, search.disk.real(folder)])
        .some((folder) => {
            const relative = path.relative(folder, file);
            return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative);
        });
}

/** The commands that install sandboxd, in the order in which they are offered. */
export const INSTALL_COMMANDS = ['uv tool install sandboxd', 'pipx install sandboxd'] as const;
