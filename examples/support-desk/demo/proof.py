# SPDX-License-Identifier: Apache-2.0
"""The claims of the demo, each with the command that checks it by hand."""

import os
import shlex

import claims
import tickets

WRONG_SHARE_MAX = 0.05
KIND_WRONG_SHARE_MAX = 0.25  # of one kind of ticket, where so many were automatic:
KIND_AUTOMATIC_MIN = 10
RECALL_SHARE_MIN = 0.6
FOREIGN_SHARE_MAX = 0.05


class Places:
    """Where the claims' commands look, as a user would type it."""

    def __init__(self, house, audit_directory, verifier_key):
        def short(path):
            return shlex.quote(os.path.relpath(path))
        self.aios = short(house.options.aios)
        self.sql = f"sqlite3 {short(house.desk_db)} "
        self.models_db = short(house.models_db)
        self.table = short(house.path("outcomes.csv"))
        self.sent = short(house.path("sent.csv"))
        self.audit = f"{short(audit_directory)} --key {shlex.quote(verifier_key)}"


def books_claims(facts, books, rows, sender, work, places):
    """What came in is what came out, in the server's words and in the help desk's books."""
    total = facts["automatic"] + facts["human"] + facts["waiting"] + facts["failed"]
    expected_refused = sum(ticket["expect"] == "refused" for ticket in work)
    differ = claims.ticket_books_differ(rows, books)
    highest = max((row["refund_expected_cents"] for row in rows if row["outcome"] == "automatic"),
                  default=0)
    return [
        (facts["accepted"] == facts["automatic"] + facts["human"] == total,
         f"accepted {facts['accepted']} = automatic {facts['automatic']} + person "
         f"{facts['human']}; left waiting {facts['waiting']}, failed {facts['failed']}",
         f"cut -d, -f4 {places.table} | sort | uniq -c"),
        (facts["refused"] == expected_refused and not sender.surprises,
         f"refused {facts['refused']}: same event id, other content; {sender.repeated} "
         "exact repetitions got the first answer again",
         f"cut -d, -f4,5 {places.sent} | sort | uniq -c"),
        (not differ and books["orders_paid_twice"] == 0
         and facts["refunds_expected_cents"] == facts["refunds_ledger_cents"],
         f"refunds decided {facts['refunds_expected_cents'] / 100:.2f} EUR, in the help desk's"
         f" ledger {facts['refunds_ledger_cents'] / 100:.2f} EUR, ticket by ticket; orders paid"
         f" twice {books['orders_paid_twice']}",
         places.sql + '"select sum(amount_cents), count(*) - count(distinct order_id) from refunds"'
         f"; awk -F, '{{s+=$10}} END {{print s}}' {places.table}"),
        (facts["refunds_not_due_cents"] == 0,
         f"refunds beyond what was due for an order {facts['refunds_not_due_cents'] / 100:.2f} EUR",
         f"awk -F, '{{s+=$11}} END {{print s}}' {places.table}"),
        (highest <= tickets.REFUND_LIMIT_CENTS,
         f"highest refund without a person {highest / 100:.2f} EUR, limit "
         f"{tickets.REFUND_LIMIT_CENTS / 100:.2f} EUR",
         f"grep ',automatic,' {places.table} | cut -d, -f10 | sort -n | tail -1"),
        (facts["cases_duplicated"] == 0,
         f"cases opened {facts['cases_opened']}, opened twice {facts['cases_duplicated']}, "
         f"in {facts['attempts']} requests ({books['faults']} met by a fault) and "
         f"{facts['kills']} kills",
         places.sql + '"select reference, count(*) from cases group by 1 having count(*) > 1"'),
    ]


def quality_claims(facts, rows, places):
    """How often what no person saw was wrong."""
    worst = claims.worst_kind(rows, KIND_AUTOMATIC_MIN)
    came, answered = claims.invented(rows)
    worst_share = worst[2] / worst[1] if worst else 0.0
    low, high = facts["wrong_automatic_low"], facts["wrong_automatic_high"]
    return [
        (facts["wrong_automatic"] <= WRONG_SHARE_MAX * facts["automatic"],
         f"wrong automatic answers {facts['wrong_automatic']} of {facts['automatic']} (at most "
         f"{WRONG_SHARE_MAX:.0%} wanted; with 95 % confidence {low:.1%} to {high:.1%}); the "
         f"model's accuracy over all tickets {facts['accuracy']:.3f}",
         f"grep ',1$' {places.table} | wc -l"),
        (answered <= FOREIGN_SHARE_MAX * came,
         f"of {came} tickets that are none of our business {answered} were answered without a "
         f"person (at most {FOREIGN_SHARE_MAX:.0%} wanted)",
         f"cut -d, -f2,4 {places.table} | grep -E '^(out_of_scope|injection),' | sort | uniq -c"),
        (worst_share <= KIND_WRONG_SHARE_MAX,
         f"worst of all kinds of ticket with {KIND_AUTOMATIC_MIN} automatic answers or more: "
         + (f"{worst[0]}, {worst[2]} of {worst[1]} wrong ({worst_share:.0%}" if worst
            else "none had so many (0%") + f", at most {KIND_WRONG_SHARE_MAX:.0%} wanted)",
         f"grep ',1$' {places.table} | cut -d, -f2 | sort | uniq -c"),
    ]


def audit_claim(facts, said, places):
    return (facts["audit_verified"], f"audit log of {facts['leaves']} leaves: {said}",
            f"{places.aios} audit verify {places.audit}")


def learning_claims(facts, places):
    """A kind that the model had never seen."""
    before, after = facts["recall_before"], facts["recall_after"]
    return [
        (facts["recall_before_automatic"] == 0,
         f"of {before} tickets about a recall, before the model knew of recalls, "
         f"{facts['recall_before_automatic']} were answered without a person",
         f"grep '^R-' {places.table} | cut -d, -f4 | sort | uniq -c"),
        (facts["recall_after_automatic"] >= after * RECALL_SHARE_MIN
         and facts["recall_after_wrong"] <= after * WRONG_SHARE_MAX,
         f"of {after} others, after it learnt from people's answers, "
         f"{facts['recall_after_automatic']} were (at least {RECALL_SHARE_MIN:.0%} wanted), "
         f"{facts['recall_after_wrong']} of them wrongly",
         f"grep '^S-' {places.table} | cut -d, -f4,14 | sort | uniq -c"),
    ]


def money_claims(facts, places):
    """What left the house, counted by who got it."""
    return [
        (facts["second_opinions_unmasked"] == 0,
         f"second opinions from another region {facts['second_opinions']}, of them with an address "
         f"in the text {facts['second_opinions_unmasked']}; they cost "
         f"{facts['cost_nano'] / 1e9:.4f} EUR, "
         f"{facts['cost_nano'] / 1e9 / max(facts['accepted'], 1):.6f} EUR a ticket",
         f"sqlite3 {places.models_db} \"select count(*), sum(text like '%@%') from requests\""),
        (facts["refund_leaves"] == facts["refunds_ledger"],
         f"refunds in the help desk's ledger {facts['refunds_ledger']}, leaves of the audit log "
         f"that say so {facts['refund_leaves']}",
         f"{places.aios} audit leaves {places.audit} --where kind=effect_outcome --where "
         "facts.operation=pay_refund --count-by outcome"),
    ]
