/** Attack the sandbox and show each attempt on a page. */

import * as path from 'node:path';
import * as vscode from 'vscode';
import { printed, type Reports } from '../views/pages';
import { report, type Verdict } from '../views/report';
import { inMessage } from '../views/words';
import { folderOf, runJob, type Context } from './context';

/** Not everything held; some attempts could not be judged. Both have a report to show. */
const NOT_HELD = 6;
const NOT_SHOWN = 4;

export async function verify(context: Context, reports: Reports, argument: unknown): Promise<void> {
    const folder = folderOf(argument);
    if (folder === undefined) {
        return;
    }
    const job = { title: 'attacking the sandbox', args: ['verify', '--json'], folder, fine: [NOT_HELD, NOT_SHOWN] };
    const ended = await runJob(context, job);
    if (ended === undefined) {
        return;
    }
    const verdict = printed<Verdict>(ended);
    if (verdict === undefined) {
        return;
    }
    await reports.show(`${path.basename(folder)} verified`, report(verdict, folder, new Date()));
    const escaped = verdict.attempts.filter((attempt) => attempt.outcome === 'escaped');
    if (escaped.length > 0) {
        void vscode.window.showErrorMessage(inMessage(`sandboxd: the sandbox did not hold: ${escaped.map((attempt) => attempt.id).join(', ')}.`));
    }
}
