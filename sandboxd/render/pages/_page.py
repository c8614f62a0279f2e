"""The frame of our HTML pages: a single file, without scripts and external resources, in light and dark."""

from __future__ import annotations

from sandboxd.markup import in_html as text

__all__ = ["STYLE", "page", "text"]

STYLE = """
:root{color-scheme:light dark;--back:#fff;--text:#1c2024;--soft:#5b6570;--line:#d9dee3;--card:#f6f8fa;
--good:#0b6b3a;--bad:#b3261e;--warn:#8a5300}
@media(prefers-color-scheme:dark){:root{--back:#14171a;--text:#e6e9ec;--soft:#9aa5b1;--line:#343b43;
--card:#1d2126;--good:#5fd39a;--bad:#ff8a80;--warn:#ffc46b}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1.25rem;background:var(--back);color:var(--text);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0 0 .25rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 .25rem}
p{margin:.25rem 0}.soft{color:var(--soft)}
.verdict{border:2px solid;border-radius:.5rem;padding:.75rem 1rem;margin:1rem 0;font-weight:600}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:1rem 0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin-top:.5rem;font-size:.9rem;table-layout:fixed}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--line);
overflow-wrap:anywhere}
th{color:var(--soft);font-weight:500}
code{font:.9em ui-monospace,monospace}
@media(max-width:40rem){body{padding:.75rem}thead{display:none}
table,tbody,tr,td{display:block;width:100%}
tr{background:var(--card);border:1px solid var(--line);border-radius:.4rem;margin:.5rem 0;padding:.3rem 0}
td{border:0;padding:.15rem .7rem}td[data-label]::before{content:attr(data-label) ": ";color:var(--soft)}}
@media print{:root{--back:#fff;--text:#000;--soft:#444;--line:#bbb;--good:#000;--bad:#000;--warn:#000}
@page{margin:12mm}body{max-width:none;padding:0;font-size:8pt;line-height:1.25}
h1{font-size:14pt}h2{font-size:11pt;margin:.6rem 0 .1rem;break-after:avoid}.verdict,dl{margin:.5rem 0}
th,td{padding:.12rem .5rem}tr{break-inside:avoid}details{margin:.3rem 0}}
"""


def page(title: str, body: str, style: str = "") -> str:
    """The whole document; `body` is HTML, `title` is plain text."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
        " style-src 'unsafe-inline'\">\n"
        f"<title>{text(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n"
        f"{body}</body>\n</html>\n"
    )
