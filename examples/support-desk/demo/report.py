# SPDX-License-Identifier: Apache-2.0
"""The demo's report as one HTML file that needs nothing else: figures, claims, one case whole, what
was taken for what, and what a stricter or a laxer floor would have done."""

import collections
import html
import json

FLOORS = [n / 100 for n in range(0, 100, 2)]

STYLE = """
:root { --ink: #1c2430; --soft: #5b6675; --line: #d9dee5; --good: #16794c; --bad: #b3261e; --mark: #2457c5; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; font-size: .9rem; } td, th { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: left; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: 1rem; }
.figure { border: 1px solid var(--line); border-radius: .5rem; padding: .8rem 1rem; }
.figure b { display: block; font-size: 1.7rem; } .soft { color: var(--soft); }
.good { color: var(--good); } .bad { color: var(--bad); }
code, pre { font: .82rem/1.45 ui-monospace, monospace; } pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f5f7fa; padding: .8rem; border-radius: .5rem; }
.wide { overflow-x: auto; } .right { background: #e4f3ea; } .wrong { background: #fbe4e2; }
"""


def one_case(house, rows):
    """A ticket that a person saw and that ended in a refund, where there is one: as the server tells
    it to an auditor."""
    wanted = sorted(rows, key=lambda row: (row["action"] != "refund", row["outcome"] != "human"))
    if not wanted:
        return None
    run = house.admin.want("GET", f"/api/v1/runs/{wanted[0]['run']}")
    told = house.aios("explain", wanted[0]["run"], key=house.keys["admin"])
    return {"ticket": wanted[0]["ticket"], "run": run, "told": told}


def confusion(rows):
    """-> (intents, {(what is right, what was predicted): count})"""
    pairs = collections.Counter((row["intent"], row["predicted"]) for row in rows if row["predicted"])
    return sorted({name for pair in pairs for name in pair}), pairs


def curve(rows):
    """-> [(floor, share of all tickets at or above it, share of these that is wrong)]"""
    known = [row for row in rows if row["predicted"]]
    points = []
    for floor in FLOORS:
        above = [row for row in known if row["confidence"] >= floor]
        if above:
            wrong = sum(row["predicted"] != row["intent"] for row in above)
            points.append((floor, len(above) / len(known), wrong / len(above)))
    return points


def cell(value, css=""):
    return f'<td class="{css}">{html.escape(str(value))}</td>'


def figures(facts):
    handled = facts["automatic"] + facts["human"]
    shown = [
        (facts["accepted"], "tickets accepted"),
        (f"{facts['automatic'] / handled:.0%}" if handled else "-", "answered without a person"),
        (f"{facts['wrong_automatic']} of {facts['automatic']}",
         f"of these wrong (95 %: {facts['wrong_automatic_low']:.1%} to "
         f"{facts['wrong_automatic_high']:.1%})"),
        (f"{facts['refunds_ledger_cents'] / 100:,.2f} EUR", "refunds paid, none twice"),
        (facts["cases_duplicated"], "cases opened twice"),
        (facts["kills"], "kills with SIGKILL while it worked"),
        (facts["leaves"], "leaves in the audit log"),
        (f"{facts['minutes_saved'] / 60:.0f} h",
         f"of work saved at {facts['minutes_by_hand']:g} minutes a ticket by hand and "
         f"{facts['minutes_reviewed']:g} as a question (stated, not measured)"),
    ]
    boxes = "".join(f'<div class="figure"><b>{html.escape(str(value))}</b>'
                    f'<span class="soft">{html.escape(text)}</span></div>' for value, text in shown)
    return f'<div class="figures">{boxes}</div>'


def claim_list(lines):
    rows = "".join(f'<tr><td class="{"good" if holds else "bad"}">{"holds" if holds else "BROKEN"}</td>'
                   f"<td>{html.escape(text)}<br><code>{html.escape(command)}</code></td></tr>"
                   for holds, text, command in lines)
    return f"<table>{rows}</table>"


def confusion_table(rows):
    names, pairs = confusion(rows)
    head = "".join(f'<th class="n" title="{html.escape(name)}">{html.escape(name[:4])}</th>'
                   for name in names)
    body = ""
    for right in names:
        cells = ""
        for predicted in names:
            count = pairs.get((right, predicted), 0)
            css = "n" + ("" if not count else " right" if right == predicted else " wrong")
            cells += cell(count or "", css)
        body += f"<tr><th>{html.escape(right)}</th>{cells}</tr>"
    return (f'<div class="wide"><table><tr><th>right \\ predicted</th>{head}</tr>{body}</table></div>')


def curve_picture(points):
    """Share automatic (blue) and error among them (red) over the floor, as SVG."""
    width, height, left, bottom = 640, 260, 46, 30
    top = max([error for _, _, error in points] + [0.05])

    def place(floor, value, most):
        return (left + floor * (width - left - 10),
                height - bottom - value / most * (height - bottom - 14))

    def line(index, most, color):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in
                        (place(point[0], point[index], most) for point in points))
        return f'<polyline fill="none" stroke="{color}" stroke-width="2.5" points="{path}"/>'

    marks = "".join(
        f'<text x="{place(floor, 0, 1)[0]:.0f}" y="{height - 8}" font-size="11" text-anchor="middle">'
        f"{floor:.1f}</text>" for floor in (0, .2, .4, .6, .8))
    sides = (f'<text x="4" y="16" font-size="11" fill="#2457c5">100 %</text>'
             f'<text x="{width - 8}" y="16" font-size="11" fill="#b3261e" text-anchor="end">'
             f"{top:.0%}</text>")
    axis = (f'<line x1="{left}" y1="{height - bottom}" x2="{width - 10}" y2="{height - bottom}" '
            'stroke="#5b6675"/>')
    return (f'<svg viewBox="0 0 {width} {height}" role="img" width="{width}" '
            f'aria-label="Share automatic and share wrong over the floor">'
            f'{axis}{marks}{sides}{line(1, 1.0, "#2457c5")}{line(2, top, "#b3261e")}</svg>')


def case_text(case):
    if case is None:
        return "<p>No ticket was accepted.</p>"
    run = json.dumps(case["run"], indent=2, ensure_ascii=False)
    return (f"<p>Ticket {html.escape(case['ticket'])}, run <code>{html.escape(case['run']['id'])}"
            f"</code>, as the server tells it:</p><pre>{html.escape(case['told'])}</pre>"
            f"<details><summary>The run as data</summary><pre>{html.escape(run)}</pre></details>")


def write(path, facts, rows, lines, case):
    points = curve(rows)
    kinds = collections.Counter(row["kind"] for row in rows)
    kind_rows = "".join(
        "<tr>" + cell(kind) + cell(count, "n")
        + cell(sum(r["kind"] == kind and r["outcome"] == "automatic" for r in rows), "n")
        + cell(sum(r["kind"] == kind and r["wrong_automatic"] for r in rows), "n") + "</tr>"
        for kind, count in kinds.most_common())
    page = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Support desk: what came of {facts['accepted']} tickets</title><style>{STYLE}</style>
<h1>Support desk: what came of {facts['accepted']} tickets</h1>
<p class="soft">Made by the demo of aios in {facts['seconds']:.0f} s. The people in it are programs, and say
so; the help desk is a separate program with faults switched on.</p>
{figures(facts)}
<h2>What must hold, and how to check it by hand</h2>{claim_list(lines)}
<h2>By kind of ticket</h2>
<table><tr><th>kind</th><th class="n">accepted</th><th class="n">automatic</th><th class="n">of these wrong</th></tr>
{kind_rows}</table>
<h2>One case whole</h2>{case_text(case)}
<h2>What was taken for what</h2><p class="soft">Rows: what is right. Columns: what the model said.</p>
{confusion_table(rows)}
<h2>The floor</h2><p class="soft">Over the confidence that is wanted for an automatic answer:
<span style="color:#2457c5">the share of tickets that reach it</span> and
<span style="color:#b3261e">the share of these that the model takes for something else</span>. Policy
asks for more than the floor: what an answer rests on, the order, the amount.</p>
{curve_picture(points)}
</html>
"""
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)
