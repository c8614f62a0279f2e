/** What a program wrote for a terminal, as plain text: nothing that would drive one is left in it. */

// Colours, moves of the cursor, titles, and other sequences that begin with ESC.
const SEQUENCES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])/g;
// Each run of line ends is tried once, from its start: a sandbox may write nothing else.
const UNFINISHED = /(?:(?<!\r)\r+|\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*))$/;
// Tabs and ends of lines stay.
const OTHERS = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
/** A sequence that is longer is none. */
const LONGEST = 4096;

export class PlainText {
    private rest = '';

    /** The plain text of the next piece; a sequence, or an end of line, that it ends within waits for the one after it. */
    feed(piece: string): string {
        let text = (this.rest + piece).replace(SEQUENCES, '');
        const unfinished = UNFINISHED.exec(text)?.index ?? text.length;
        const isKept = text.length - unfinished <= LONGEST;
        this.rest = isKept ? text.slice(unfinished) : '';
        text = isKept ? text.slice(0, unfinished) : text;
        return text.replace(/(?<!\r)\r+\n/g, '\n').replace(/\r/g, '\n').replace(OTHERS, '');
    }
}
