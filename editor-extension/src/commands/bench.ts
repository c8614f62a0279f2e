/** Measure what the sandbox costs for a project, and show the figures on a page. */

import * as path from 'node:path';
import { costPage, type Cost } from '../views/cost';
import { printed, type Reports } from '../views/pages';
import { folderOf, runJob, type Context } from './context';

export async function bench(context: Context, reports: Reports, argument: unknown): Promise<void> {
    const folder = folderOf(argument);
    if (folder === undefined) {
        return;
    }
    const ended = await runJob(context, { title: 'measuring, for about a minute', args: ['bench', '--json'], folder });
    const cost = ended === undefined ? undefined : printed<Cost>(ended);
    if (cost !== undefined) {
        await reports.show(`${path.basename(folder)} measured`, costPage(cost, folder));
    }
}
