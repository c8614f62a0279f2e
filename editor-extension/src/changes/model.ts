/** What a sandbox changed in its private copy: the answer of `sandboxd review --json`, and what of it is chosen. */

export interface Change {
    /** Below the project; a name that the sandbox chose. */
    path: string;
    kind: 'added' | 'changed' | 'deleted';
    /** Whether it is brought without being named. */
    by_itself: boolean;
    /** Lines; null where it is no text. */
    added: number | null;
    removed: number | null;
    /** Why it is never brought; null otherwise. */
    blocked: string | null;
    /** What on this machine acts on it; null where nothing does. */
    control: string | null;
    remarks: string[];
    /** Whether both sides are here: not of what is no text, or too large. */
    shown: boolean;
    old: string | null;
    new: string | null;
}

export interface Review {
    version: number;
    /** Whether the sandbox works on a copy at all. */
    copy: boolean;
    ended_seconds: number | null;
    /** Identity of these very changes; null without a copy. */
    digest: string | null;
    changes: Change[];
    commits: boolean;
    not_looked_at: string | null;
}

/** In the order in which they are to be looked at. */
export const GROUPS = ['acts here', 'files', 'deleted', 'not brought'] as const;
export type Group = (typeof GROUPS)[number];

export function groupOf(change: Change): Group {
    if (change.blocked !== null) {
        return 'not brought';
    }
    if (change.control !== null) {
        return 'acts here';
    }
    return change.kind === 'deleted' ? 'deleted' : 'files';
}

/** Whether it is a text that cannot be looked at here, since there was no room for it beside the others. */
function isWithheld(change: Change): boolean {
    return !change.shown && change.added !== null;
}

/** The paths that are to be brought; what comes by itself and can be looked at is chosen from the start, nothing else is. */
export class Choice {
    private readonly chosen: Set<string>;

    constructor(readonly review: Review) {
        this.chosen = new Set(review.changes.filter((change) => change.by_itself && !isWithheld(change)).map((change) => change.path));
    }

    of(group: Group): Change[] {
        return this.review.changes.filter((change) => groupOf(change) === group);
    }

    has(change: Change): boolean {
        return this.chosen.has(change.path);
    }

    /** What can never be brought stays out. */
    set(changes: readonly Change[], isChosen: boolean): void {
        for (const { path } of changes.filter((change) => change.blocked === null)) {
            if (isChosen) {
                this.chosen.add(path);
            } else {
                this.chosen.delete(path);
            }
        }
    }

    get changes(): Change[] {
        return this.review.changes.filter((change) => this.has(change));
    }

    get deletions(): number {
        return this.changes.filter((change) => change.kind === 'deleted').length;
    }
}

/** The sandbox whose changes are looked at: `name` is '' for the project's own. */
export interface Subject {
    folder: string;
    name: string;
}

/** The words of `sandboxd review` that bring what is chosen, and nothing where anything changed since it was shown. */
export function applying(subject: Subject, choice: Choice): { args: string[]; input: string } {
    const name = subject.name === '' ? [] : ['--name', subject.name];
    const deletions = choice.deletions === 0 ? [] : ['--deletions', String(choice.deletions)];
    return {
        args: ['review', ...name, '--apply', '--stat', '--yes', '--expect', choice.review.digest ?? '', ...deletions, '--only', '-'],
        input: choice.changes.map((change) => `${change.path}\0`).join(''),
    };
}

/** How many of some changes are chosen, in words. */
export function counts(changes: readonly Change[], choice: Choice): string {
    const chosen = changes.filter((change) => choice.has(change)).length;
    return `${chosen} of ${changes.length}`;
}
