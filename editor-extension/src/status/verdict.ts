/** What may be said of a project in two words, from what was observed and nothing else. */

import type { Project, Verification } from './model';

export type Level = 'held' | 'attention' | 'weak' | 'none' | 'unknown';

export interface Verdict {
    /** Two or three words for the status bar. */
    label: string;
    level: Level;
    /** One sentence for the hover and for screen readers. */
    because: string;
}

/** Without these in force a container on the host's own kernel is not called hardened. */
const HARDENED = ['capabilities', 'no-new-privileges', 'seccomp'];

export function verdict(project: Project): Verdict {
    // Before all else, whatever the state was called when somebody last looked.
    if (project.lost.length > 0) {
        return { label: project.halted ? 'halted' : 'pin lost', level: 'weak', because: project.lost.join('; ') };
    }
    switch (project.state) {
        case 'running':
            return ofRunning(project);
        case 'paused':
            return { label: 'paused', level: 'none', because: 'The sandbox of this project is paused.' };
        case 'stopped':
        case 'not created':
            return { label: 'not running', level: 'none', because: 'No sandbox of this project runs.' };
        case 'invalid config':
            return { label: 'invalid config', level: 'attention', because: project.problem ?? 'sandboxd.toml cannot be used.' };
        case 'missing':
            return { label: 'missing', level: 'unknown', because: 'The folder is gone.' };
        case 'unknown':
            return { label: 'unknown', level: 'unknown', because: project.problem ?? 'The container engine could not be asked.' };
    }
}

function ofRunning(project: Project): Verdict {
    const force = project.inForce;
    if (force === null || force.controls.length === 0) {
        return { label: 'not observed', level: 'unknown', because: 'The sandbox runs, but nothing of it could be seen.' };
    }
    const state = (name: string): string | undefined =>
        force.controls.find((control) => control.name === name)?.state;
    const lacking = HARDENED.filter((name) => isMissing(state(name)));
    if (force.settings['privileged'] === 'yes' || isMissing(state('capabilities'))) {
        return { label: 'weak', level: 'weak', because: 'It runs with privileges that reach the host.' };
    }
    const verified = project.verified;
    if (verified?.state === 'escaped') {
        return { label: 'escaped', level: 'weak', because: verifiedInWords(verified) };
    }
    const base = verifiedToo(verified, ownKernel(state('own kernel'), HARDENED.every((name) => state(name) === 'in force'), lacking));
    if (project.drift.length > 0 && base.level !== 'weak') {
        return {
            label: `${base.label}, drifted`,
            level: 'attention',
            because: `${base.because} It differs from what was asked for: ${project.drift.join('; ')}.`,
        };
    }
    return base;
}

/** A sandbox that held is called so only where what was seen of it says nothing else. */
function verifiedToo(verified: Verification | null, base: Verdict): Verdict {
    if (verified === null || base.level !== 'held') {
        return base;
    }
    const label = verified.state === 'held' ? `${base.label}, held` : base.label;
    return { ...base, label, because: `${verifiedInWords(verified)} ${base.because}` };
}

/** What the last `sandboxd verify` showed, in a sentence or two. */
export function verifiedInWords(verified: Verification): string {
    const age = `${ageInWords(verified.ageSeconds)} ago`;
    switch (verified.state) {
        case 'held': {
            const rest = [
                verified.notTried.length === 0 ? '' : `${verified.notTried.length} not tried, since there was nothing to attack`,
                verified.open.length === 0 ? '' : `${verified.open.length} open on purpose`,
            ].filter((text) => text !== '');
            return `It held against ${verified.tried} attempts ${age}${rest.length === 0 ? '' : `; ${rest.join(', ')}`}.`;
        }
        case 'escaped':
            return `It did not hold ${age}: ${verified.escaped.join(', ')}.`;
        case 'not shown':
            return `It was not shown to hold, ${age}.`;
        case 'void':
            return `It is not what was attacked ${age}.`;
    }
}

/** The same as a label and what stands beside it. */
export function verifiedInShort(verified: Verification): { label: string; rest: string } {
    const age = `${ageInWords(verified.ageSeconds)} ago`;
    switch (verified.state) {
        case 'held': {
            const notTried = verified.notTried.length === 0 ? '' : `, ${verified.notTried.length} not tried`;
            return { label: 'Held', rest: `${verified.tried} attempts${notTried}, ${age}` };
        }
        case 'escaped':
            return { label: 'Escaped', rest: `${verified.escaped.join(', ')}, ${age}` };
        case 'not shown':
            return { label: 'Not shown to hold', rest: age };
        case 'void':
            return { label: 'Not attacked as it is now', rest: `before: ${age}` };
    }
}

function ageInWords(seconds: number): string {
    const units: [number, string][] = [[86_400, 'd'], [3600, 'h'], [60, 'min']];
    const unit = units.find(([length]) => seconds >= length);
    return unit === undefined ? `${Math.round(seconds)} s` : `${Math.round(seconds / unit[0])} ${unit[1]}`;
}

/** Whether it was seen not to be there, asked for or not. */
function isMissing(state: string | undefined): boolean {
    return state === 'not in force' || state === 'left out';
}

function ownKernel(kernel: string | undefined, hardened: boolean, lacking: string[]): Verdict {
    if (kernel === 'in force') {
        return { label: 'gVisor', level: 'held', because: 'It runs on a kernel of its own; the host\'s was not seen inside.' };
    }
    if (!isMissing(kernel)) {
        return { label: 'not observed', level: 'unknown', because: 'Which kernel it runs on could not be seen.' };
    }
    if (hardened) {
        return {
            label: 'runc, hardened',
            level: 'held',
            because: 'It shares the host\'s kernel; capabilities, no-new-privileges and seccomp were seen in force.',
        };
    }
    if (lacking.length > 0) {
        return { label: 'weak', level: 'weak', because: `It shares the host's kernel; not in force: ${lacking.join(', ')}.` };
    }
    return { label: 'runc, partly seen', level: 'unknown', because: 'It shares the host\'s kernel; not all of its hardening could be seen.' };
}

/** The findings in words: `2 errors, 1 hint`; '' when nothing was found or counted. */
export function countsInWords(project: Project): string {
    const counts = project.findings;
    if (counts === null) {
        return '';
    }
    const part = (count: number, word: string): string =>
        count === 0 ? '' : `${count} ${word}${count === 1 || word === 'not checked' ? '' : 's'}`;
    return [
        part(counts.error, 'error'),
        part(counts.warning, 'warning'),
        part(counts.hint, 'hint'),
        part(counts.skipped, 'not checked'),
    ]
        .filter((text) => text !== '')
        .join(', ');
}
