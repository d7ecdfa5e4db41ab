# SPDX-License-Identifier: Apache-2.0
"""Adds up what happened, from three sources that do not know each other: the runs (the server's
API), the ledger (the help desk's own database) and the truth (the ticket generator)."""

import collections
import csv
import json
import math
import sqlite3
import subprocess

INVENTED = ("out_of_scope", "injection")
# What the minutes saved are reckoned with: stated, not measured.
MINUTES_BY_HAND = 6.0    # a ticket that a person reads, looks up, decides and enters
MINUTES_REVIEWED = 2.0   # one that a person is asked about, with everything beside it


def ledger(path):
    db = sqlite3.connect(path)
    try:
        def value(sql):
            return db.execute(sql).fetchone()[0] or 0
        return {
            "cases": value("select count(*) from cases"),
            "duplicates": value("select count(*) - count(distinct reference) from cases"),
            "refunds": dict(db.execute("select substr(reason, 8), sum(amount_cents) from refunds "
                                       "group by 1")),
            "cents": value("select sum(amount_cents) from refunds"),
            "refunds_count": value("select count(*) from refunds"),
            "orders_paid_twice": value("select count(*) - count(distinct order_id) from refunds"),
            "attempts": value("select count(*) from requests"),
            "faults": value("select count(*) from requests where fault is not null"),
        }
    finally:
        db.close()


def outcomes(runs, sender):
    """One row an accepted ticket: what was right, what the machine said, what came of it."""
    rows = []
    for run in runs:
        ticket = sender.ticket_of(run)
        if ticket is None:
            continue
        output = run.get("output") if run["status"] == "completed" else None
        output = output if isinstance(output, dict) else {}
        inferences = run.get("inferences") or []
        predicted = output.get("predicted") or (inferences[0]["label"] if inferences else "")
        outcome = {"completed": output.get("outcome", "failed"), "faulted": "failed",
                   "cancelled": "failed"}.get(run["status"], "waiting")
        row = {
            "ticket": ticket["data"]["ticket"], "kind": ticket["kind"], "run": run["id"],
            "outcome": outcome, "intent": ticket["truth"]["intent"], "predicted": predicted,
            "confidence": round(output.get("confidence") or 0.0, 4),
            "action": output.get("action", ""), "right_action": ticket["truth"]["action"],
            "refund_expected_cents": 0, "refund_not_due_cents": 0,
            "inferences": len(inferences),
            "cost_nano": sum(cost["nano"] for cost in run.get("cost") or []),
            "wrong_automatic": 0,
        }
        if row["action"] == "refund":  # the order's price as the generator knows it
            row["refund_expected_cents"] = ticket.get("order_cents", 0)
        if outcome == "automatic" and (output.get("intent") != row["intent"]
                                       or row["action"] != row["right_action"]):
            row["wrong_automatic"] = 1
        rows.append(row)
    for_orders(rows, sender.tickets)
    return rows


def for_orders(rows, tickets):
    """Fills refund_not_due_cents: what went out for an order beyond what was due for it. By order,
    not by ticket: of two tickets about one order the second may be the faster one."""
    orders = collections.defaultdict(list)
    for row in rows:
        ticket = tickets[row["ticket"]]
        orders[ticket["data"].get("order") or row["ticket"]].append(row)
    for group in orders.values():
        due = max(tickets[row["ticket"]]["truth"]["amount_cents"] for row in group)
        over = sum(row["refund_expected_cents"] for row in group) - due
        for row in sorted(group, key=lambda row: row["right_action"] == "refund"):
            row["refund_not_due_cents"] = max(0, min(over, row["refund_expected_cents"]))
            over -= row["refund_not_due_cents"]


def by_kind(rows):
    """-> [(kind, accepted, automatic, wrong automatic)], the largest first."""
    kinds = collections.Counter(row["kind"] for row in rows)
    return [(kind, count,
             sum(r["kind"] == kind and r["outcome"] == "automatic" for r in rows),
             sum(r["kind"] == kind and r["wrong_automatic"] for r in rows))
            for kind, count in kinds.most_common()]


def worst_kind(rows, automatic_min):
    """-> (kind, automatic, wrong) with the largest share of wrong ones, of the kinds with at least
    so many automatic answers; None when there is none. Of what is none of our business every
    automatic answer is wrong: that is counted against how many of it came, in invented()."""
    kinds = [(kind, automatic, wrong) for kind, _, automatic, wrong in by_kind(rows)
             if automatic >= automatic_min and kind not in INVENTED]
    return max(kinds, key=lambda kind: kind[2] / kind[1], default=None)


def invented(rows):
    """-> (how many came that are none of our business, how many of them were answered)."""
    came = [row for row in rows if row["kind"] in INVENTED]
    return len(came), sum(row["outcome"] == "automatic" for row in came)


def write_answers(path, answers):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("event", "ticket", "kind", "status", "answer"))
        writer.writerows(answers)


def write_outcomes(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else ["ticket"],
                                lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def verify_audit(aios, directory, key):
    """-> (verified, what the verifier said). Needs neither the server nor us."""
    done = subprocess.run([aios, "audit", "verify", directory, "--key", key], timeout=60,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode == 0, done.stdout.strip()


def wilson(count, total, z=1.96):
    """The 95 % interval of a share (Wilson's), as (low, high); all of it when nothing was tried."""
    if total == 0:
        return 0.0, 1.0
    share, square = count / total, z * z
    middle = share + square / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    return max(0.0, (middle - half) / (1 + square / total)), (middle + half) / (1 + square / total)


def minutes_saved(automatic, human):
    return automatic * MINUTES_BY_HAND + human * (MINUTES_BY_HAND - MINUTES_REVIEWED)


def result(rows, books, sender, leaves, verified, kills, seconds):
    counts = collections.Counter(row["outcome"] for row in rows)
    known = [row for row in rows if row["predicted"]]
    right = sum(row["predicted"] == row["intent"] for row in known)
    wrong = sum(row["wrong_automatic"] for row in rows)
    low, high = wilson(wrong, counts["automatic"])
    return {
        "tickets_sent": sender.sent,
        "accepted": sender.accepted,
        "refused": sender.refused,
        "by_way": dict(sender.by_way),
        "automatic": counts["automatic"],
        "human": counts["human"],
        "waiting": counts["waiting"],
        "failed": counts["failed"],
        "wrong_automatic": wrong,
        "wrong_automatic_low": round(low, 4),
        "wrong_automatic_high": round(high, 4),
        "minutes_saved": round(minutes_saved(counts["automatic"], counts["human"])),
        "minutes_by_hand": MINUTES_BY_HAND,
        "minutes_reviewed": MINUTES_REVIEWED,
        "out_of_scope_answered": sum(row["outcome"] == "automatic" and row["kind"] in INVENTED
                                     for row in rows),
        "cases_opened": books["cases"],
        "cases_duplicated": books["duplicates"],
        "refunds_expected_cents": sum(row["refund_expected_cents"] for row in rows),
        "refunds_ledger_cents": books["cents"],
        "refunds_not_due_cents": sum(row["refund_not_due_cents"] for row in rows),
        "attempts": books["attempts"],
        "kills": kills,
        "leaves": leaves,
        "model_calls": sum(row["inferences"] for row in rows),
        "accuracy": round(right / len(known), 4) if known else 0.0,
        "audit_verified": verified,
        "seconds": round(seconds, 1),
    }


def learning(rows):
    """What came of the tickets about a recall, before the model knew of it and after."""
    before = [row for row in rows if row["ticket"].startswith("R-")]
    after = [row for row in rows if row["ticket"].startswith("S-")]
    return {
        "recall_before": len(before),
        "recall_before_automatic": sum(row["outcome"] == "automatic" for row in before),
        "recall_after": len(after),
        "recall_after_automatic": sum(row["outcome"] == "automatic" for row in after),
        "recall_after_wrong": sum(row["wrong_automatic"] for row in after),
    }


def asked_elsewhere(path):
    """Requests that the model server elsewhere counted itself, and how many held an address."""
    db = sqlite3.connect(path)
    try:
        return db.execute("select count(*), coalesce(sum(text like '%@%'), 0) from requests").fetchone()
    finally:
        db.close()


def leaves_by_outcome(aios, directory, key, *where):
    """-> {outcome: how many leaves}, of the signed log."""
    chosen = [part for one in where for part in ("--where", one)]
    done = subprocess.run([aios, "audit", "leaves", directory, "--key", key, *chosen, "--count-by",
                           "outcome", "--json"], timeout=120, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    items = json.loads(done.stdout)["items"] if done.returncode == 0 else []
    return {row["outcome"]: row["count"] for row in items}


def spending(rows, books, elsewhere, refund_leaves):
    return {
        "second_opinions": elsewhere[0],
        "second_opinions_unmasked": elsewhere[1],
        "cost_nano": sum(row["cost_nano"] for row in rows),
        "refunds_ledger": books["refunds_count"],
        "refund_leaves": sum(refund_leaves.get(outcome, 0)
                             for outcome in ("done", "resolved_happened")),
    }


def ticket_books_differ(rows, books):
    """Tickets whose refund in the ledger is not the one expected, ticket by ticket."""
    expected = {row["ticket"]: row["refund_expected_cents"] for row in rows
                if row["refund_expected_cents"]}
    paid = books["refunds"]
    return sorted(t for t in set(expected) | set(paid) if expected.get(t) != paid.get(t))


def write_result(path, facts):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=2)
        file.write("\n")
