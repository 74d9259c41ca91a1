"""The style sheet of all pages: a few pages of CSS, light, dark and print; colours only from the palette."""

from infra.pages.palette import DARK, HEAT_STEPS, LIGHT, variables

_HEAT = "".join(f".heat{step}{{background:var(--heat{step})}}" for step in range(HEAT_STEPS))
_COLOURS = f"""
:root{{{variables(LIGHT)}color-scheme:light dark}}
@media screen and (prefers-color-scheme:dark){{:root{{{variables(DARK)}}}}}
"""
_TEXT = """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:60rem;padding:1.5rem 1.25rem 3rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif;overflow-wrap:break-word}
h1{font-size:1.5rem;line-height:1.25;margin:0;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:0 0 .6rem;padding-top:.4rem}
h3{font-size:.95rem;margin:1rem 0 .3rem}
p{margin:.4rem 0}
header p{color:var(--soft);margin:.3rem 0 1rem;font-size:.85rem;overflow-wrap:anywhere}
section{margin:0 0 2rem}
.skip{position:absolute;left:-100vw;top:0;padding:.4rem .8rem;background:var(--panel);color:var(--ours);
z-index:1}
.skip:focus{left:0}
:focus-visible{outline:2px solid var(--ours);outline-offset:2px}
.note{color:var(--soft);font-size:.85rem}
.missing{color:var(--soft);background:var(--panel);padding:.5rem .8rem;border-radius:.3rem;font-size:.9rem}
.pass{color:var(--pass);border-color:var(--pass)}
.fail{color:var(--fail);border-color:var(--fail)}
.inconclusive{color:var(--wait);border-color:var(--wait)}
.other{color:var(--other)}
td.pass,td.fail,td.inconclusive{font-weight:700}
small{color:var(--soft);font-weight:400}
code,pre{font:.8rem/1.45 ui-monospace,monospace;overflow-wrap:anywhere}
pre{white-space:pre-wrap;background:var(--panel);padding:.6rem .8rem;margin:.4rem 0;border-radius:.3rem}
blockquote{margin:.6rem 0;padding-left:.8rem;border-left:3px solid var(--line);font-size:.85rem}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--ours);font-size:.9rem;padding:.15rem 0;overflow-wrap:anywhere}
"""
_TABLES = (
    """
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;color:var(--soft);font-size:.85rem;padding:.2rem 0}
th,td{text-align:left;vertical-align:top;padding:.35rem .8rem .35rem 0;font-weight:400}
thead th{color:var(--soft);font-size:.8rem}
tbody th,tr>th:first-child{font-weight:600}
tbody tr,table:not(:has(thead)) tr{border-top:1px solid var(--line)}
.words td{color:var(--soft);padding-top:0;font-size:.85rem}
tr.words{border-top:0}
table.heat{width:auto;border-collapse:separate;border-spacing:2px;font-size:.8rem}
.heat tr{border:0}
.heat thead th{vertical-align:bottom;padding:.1rem;font-weight:600}
.heat thead span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:9.5rem;line-height:1.15}
.heat tbody th{padding:.25rem .6rem .25rem 0;vertical-align:middle;min-width:6.5rem}
.heat tbody td{padding:.2rem .35rem;min-width:3.9rem;text-align:center;vertical-align:middle;line-height:1.25}
.heat tbody td.none{background:var(--panel);color:var(--soft)}
.heat small{display:block;font-size:.68rem;color:var(--ink);white-space:nowrap}
.corner{color:var(--soft);font-size:.75rem;vertical-align:bottom}
.keys{font-size:.8rem;color:var(--soft);display:flex;flex-wrap:wrap;gap:.3rem;align-items:center}
.heat em{font-style:normal;font-weight:700;white-space:nowrap}
.key{padding:.05rem .5rem;border-radius:.2rem;color:var(--ink)}
"""
    + _HEAT
)
_CHARTS = """
svg{width:100%;height:auto;max-width:52rem;display:block;font:13px system-ui,sans-serif}
.pictures>svg{min-width:34rem;max-width:44rem}
svg text{fill:var(--ink)}svg .tick{fill:var(--soft);font-size:11px}svg .value{font-weight:600}
svg .ours,svg .label{fill:var(--ours)}svg .other{fill:var(--other)}
svg .grid{stroke:var(--line)}svg .axis{stroke:var(--soft)}
svg .whisker{stroke:var(--ink);stroke-width:1.5;fill:none}
svg .mark{stroke:var(--ink);stroke-width:2}
svg .loss{fill:none;stroke:var(--ours);stroke-width:1.5}
svg.rail{height:auto;max-width:none;overflow:visible}
.rail .track{fill:var(--track)}.rail .good{fill:var(--pass-tint);stroke:var(--pass);stroke-opacity:.35}
.rail line.pass,.rail line.fail,.rail line.inconclusive,.rail line.ours,.rail line.other{stroke:currentColor;
stroke-width:2}
.rail line.ours{stroke:var(--ours)}
.rail circle{fill:currentColor;stroke:var(--paper);stroke-width:1}
.rail circle.ours{fill:var(--ours)}
.rail circle.hollow{fill:var(--paper);stroke:currentColor;stroke-width:2}
.rail .bar{stroke-width:3}
.rail .reach{stroke:var(--track);stroke-width:9;stroke-linecap:round}
"""
_CARD = """
.verdict{border:1px solid;border-left-width:.7rem;padding:1rem 1.2rem;border-radius:.4rem}
.verdict p{margin:.15rem 0;color:var(--ink)}
.verdict .word{font-size:1.6rem;line-height:1.2;font-weight:750;color:inherit}
.verdict.pass{background:var(--pass-tint)}.verdict.fail{background:var(--fail-tint)}
.verdict.inconclusive{background:var(--wait-tint)}
.verdict .waived{color:var(--fail)}
.tiles{display:grid;grid-template-columns:repeat(3,1fr);gap:.6rem;list-style:none;
padding:0;margin:.8rem 0 1.8rem}
.tiles li{background:var(--panel);border-radius:.4rem;padding:.6rem .8rem}
.tiles b{display:block;font-size:1.3rem;line-height:1.25}
.tiles span{display:block;font-size:.8rem;color:var(--soft)}
.rows{list-style:none;margin:0;padding:0}
.rows>li{display:grid;grid-template-columns:minmax(9rem,15rem) minmax(10rem,1fr) minmax(10rem,13rem);
column-gap:1rem;align-items:center;padding:.45rem 0;border-top:1px solid var(--line);break-inside:avoid}
.rows .name{font-weight:600;font-size:.9rem;line-height:1.3;overflow-wrap:anywhere}
.rows .name small{display:block;font-size:.78rem}
.rows .got{font-size:.85rem;line-height:1.35;font-variant-numeric:tabular-nums}
.rows .got small{display:block;font-size:.78rem}
.rows .why{grid-column:1/-1;margin:.2rem 0 0;font-size:.85rem;color:var(--soft)}
.rows .waived{grid-column:1/-1;margin:.3rem 0 0;padding:.35rem .7rem;border-left:.3rem solid var(--fail);
background:var(--fail-tint);color:var(--fail);font-size:.85rem}
.waived strong{color:var(--fail)}
.rows.tight>li{padding:.1rem 0;border:0}
.rows.tight>li.head{border-top:1px solid var(--line);margin-top:.3rem;padding-top:.3rem}
.chip{display:inline-block;font-size:.75rem;font-weight:700;padding:.05rem .5rem;border-radius:.8rem;
text-transform:uppercase;letter-spacing:.03em}
.chip.pass{background:var(--pass-tint)}.chip.fail{background:var(--fail-tint)}
.chip.inconclusive{background:var(--wait-tint)}
.diff{font:.8rem/1.45 ui-monospace,monospace;background:var(--panel);border-radius:.3rem;padding:.4rem 0;
margin:.4rem 0}
.diff div{white-space:pre-wrap;overflow-wrap:anywhere;padding:0 .8rem}
.diff ins,.diff del{text-decoration:none;display:block;margin:0 -.8rem;padding:0 .8rem}
.diff ins{background:var(--pass-tint)}.diff del{background:var(--fail-tint)}
.chain{list-style:none;counter-reset:step;margin:0;padding:0}
.chain>li{counter-increment:step;position:relative;padding:0 0 .9rem 2.4rem;break-inside:avoid}
.chain>li::before{content:counter(step);position:absolute;left:0;top:.1rem;width:1.5rem;height:1.5rem;
border-radius:50%;background:var(--panel);border:1px solid var(--line);text-align:center;font-size:.8rem;
line-height:1.45rem}
.chain>li:not(:last-child)::after{content:"";position:absolute;left:.75rem;top:1.8rem;bottom:.1rem;
border-left:1px solid var(--line)}
.chain p{margin:.1rem 0;font-size:.85rem}
.chain code{display:block;color:var(--soft)}
"""
_NARROW = """
@media (max-width:44rem){body{padding:1rem .9rem 2rem}
.rows>li{grid-template-columns:1fr;row-gap:.25rem}
.rows.tight>li{padding:.25rem 0}
.tiles{grid-template-columns:repeat(2,1fr)}
.rows .got small{display:inline}}
@media print{@page{margin:14mm}body{max-width:none;padding:0;font-size:12px}.skip{display:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
details::details-content{content-visibility:visible;height:auto}
.wide{overflow:visible}tr{break-inside:avoid}h2,h3,summary{break-after:avoid}}
"""

STYLE = _COLOURS + _TEXT + _TABLES + _CHARTS + _CARD + _NARROW
