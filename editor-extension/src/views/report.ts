/** The page of one `sandboxd verify --json`, as Markdown for VS Code's own preview. */

import { plain, table } from './words';

export interface Attempt {
    id: string;
    title: string;
    outcome: string;
    expected: string;
    evidence: string;
}

export interface Verdict {
    container: string;
    runtime: string;
    kernel: string;
    profile: string | null;
    attempts: Attempt[];
    held: boolean;
}

/** What needs a look comes first. */
const ORDER = ['escaped', 'inconclusive', 'residual', 'held', 'not-applicable'];
const MEANING: Record<string, string> = {
    escaped: 'it worked: the sandbox did not hold',
    inconclusive: 'it could not be judged, so it does not count as held',
    residual: 'it works, and the profile leaves it open on purpose',
    held: 'it was made, and had no effect',
    'not-applicable': 'there is nothing to attack in this sandbox',
};

/** The page; everything in it that comes from the sandbox is plain text. */
export function report(verdict: Verdict, folder: string, at: Date): string {
    const groups = ORDER.map((outcome) => ({ outcome, attempts: of(verdict, outcome) })).filter((group) => group.attempts.length > 0);
    const counts = groups.map((group) => `${group.attempts.length} ${group.outcome}`).join(', ');
    const kernel = verdict.kernel === 'own' ? 'a kernel of its own' : 'the host\'s kernel';
    const profile = verdict.profile === null ? 'no profile' : `profile ${plain(verdict.profile)}`;
    return [
        `# ${headline(verdict)}`,
        `${plain(folder)}: container ${plain(verdict.container)}, runtime ${plain(verdict.runtime)}, ${kernel}, ${profile}. `
            + `${verdict.attempts.length} attempts: ${counts}. Made at ${plain(at.toLocaleString())}; a sandbox that is changed or started anew was not verified.`,
        ...groups.map(section),
    ].join('\n\n');
}

function headline(verdict: Verdict): string {
    if (of(verdict, 'escaped').length > 0) {
        return 'The sandbox did not hold';
    }
    return verdict.held ? 'The sandbox held against every attempt that applies' : 'It was not shown that the sandbox holds';
}

function of(verdict: Verdict, outcome: string): Attempt[] {
    return verdict.attempts.filter((attempt) => attempt.outcome === outcome);
}

function section({ outcome, attempts }: { outcome: string; attempts: Attempt[] }): string {
    const rows = attempts.map((attempt) => [plain(attempt.title), plain(attempt.expected), plain(attempt.evidence)]);
    return `## ${outcome} (${attempts.length})\n\n${MEANING[outcome] ?? ''}\n\n${table(['attempt', 'expected', 'what was seen'], rows)}`;
}
