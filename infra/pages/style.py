"""The style sheet of all pages: one small page of CSS, light, dark and print."""

STYLE = """
:root{--ink:#1b1f24;--soft:#59636e;--paper:#fff;--line:#d5dae0;--pass:#18794e;--fail:#c4252c;--wait:#9a6700;
--ours:#2f6fdb;--other:#a9b4c0;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#9aa5b1;--paper:#14181d;--line:#333b45;
--pass:#4cc38a;--fail:#ff7b7f;--wait:#e2b340;--ours:#6ea2f7;--other:#59636e}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:56rem;padding:1.5rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:0 0 .5rem}
h3{font-size:.95rem;margin:1rem 0 .3rem}
header p{color:var(--soft);margin:.3rem 0 1rem;font-size:.85rem;overflow-wrap:anywhere}
section{margin:0 0 1.75rem;break-inside:avoid}
.verdict{border-left:.6rem solid;padding:.8rem 1.2rem;border-radius:.3rem}
.verdict p{margin:.15rem 0;color:var(--ink)}
.verdict .word{font-size:1.5rem;font-weight:700;color:inherit}
.pass{color:var(--pass);border-color:var(--pass)}
.fail{color:var(--fail);border-color:var(--fail)}
.inconclusive{color:var(--wait);border-color:var(--wait)}
td.pass,td.fail,td.inconclusive{font-weight:700}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .8rem .35rem 0;font-weight:400}
thead th{color:var(--soft);font-size:.8rem}
tbody th,tr>th:first-child{font-weight:600}
tbody,table:not(:has(thead)) tr{border-top:1px solid var(--line)}
.words td{color:var(--soft);padding-top:0;font-size:.85rem}
small{color:var(--soft);font-weight:400}
code{font:.8rem ui-monospace,monospace;overflow-wrap:anywhere}
blockquote{margin:.6rem 0;padding-left:.8rem;border-left:3px solid var(--line);font-size:.85rem}
svg{width:100%;height:auto;max-width:52rem;display:block;font:13px system-ui,sans-serif}
svg text{fill:var(--ink)}svg .tick{fill:var(--soft);font-size:11px}svg .value{font-weight:600}
svg .ours,svg .label{fill:var(--ours)}svg .other{fill:var(--other)}
svg .grid{stroke:var(--line)}svg .axis{stroke:var(--soft)}
svg .whisker{stroke:var(--ink);stroke-width:1.5;fill:none}
svg .mark{stroke:var(--ink);stroke-width:2}
svg .loss{fill:none;stroke:var(--ours);stroke-width:1.5}
@media print{body{max-width:none;padding:0;font-size:12px}}
"""
