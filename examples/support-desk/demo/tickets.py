#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the demo's tickets, with what is known to be right for each, from a seed.

    tickets.py [--seed N] [--count N] [--burst N]      prints one JSON object a line

A ticket: {"kind", "event": id, "data": {ticket, subject, body, from, order?}, "customer", "truth":
{"intent", "action", "amount_cents"}, "order_cents", "expect": "accepted" | "repeated" | "refused"}.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import texts  # noqa: E402

REFUND_LIMIT_CENTS = 10000
FIRST_ORDERS = 400  # of the help desk, for the tickets that come at a steady rate
# Share of each kind; what is left over is ordinary.
SHARES = {"misspelt": 0.07, "html": 0.06, "language": 0.07, "out_of_scope": 0.12,
          "injection": 0.024, "personal": 0.05, "over_limit": 0.024, "repeated": 0.024,
          "conflicting": 0.012, "refunded": 0.012}
# Made from tickets that are there already.
COPIES = ("repeated", "conflicting", "refunded")
WITHOUT_ORDER = {"password_reset", "account_closure", "product_question", "subscription_cancel",
                 "promo_code", "payment_failed", "other"}


def help_desk_rows(orders):
    """The help desk's own customers, and so many of its orders."""
    path = os.path.join(HERE, "..", "helpdesk", "helpdesk.py")
    spec = importlib.util.spec_from_file_location("helpdesk", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.seed_rows(orders)


class Supply:
    """Hands out each line and each order once; lines start over when they are used up."""

    def __init__(self, rng, first, last):
        """With the help desk's orders of these rows."""
        customers, orders = help_desk_rows(last)
        orders = orders[first:]
        self.rng = rng
        self.customers = {row[0]: {"id": row[0], "email": row[1], "name": row[2]}
                          for row in customers}
        rng.shuffle(orders)
        self.small = [o for o in orders if o[4] <= REFUND_LIMIT_CENTS]
        self.large = [o for o in orders if o[4] > REFUND_LIMIT_CENTS]
        self._lines = {}

    def line(self, name, pool):
        left = self._lines.get(name)
        if not left:
            left = self._lines[name] = self.rng.sample(pool, len(pool))
        return left.pop()

    def intent_and_line(self, name, pools):
        return self.line(name, [(intent, text) for intent, lines in pools.items()
                                for text in lines])

    def order(self, large=False):
        pool = self.large if large else self.small
        if not pool:
            raise ValueError("more tickets with an order wanted than the help desk has orders")
        return pool.pop()


def html(body):
    return ("<html><body style=\"font-family: Arial\"><p>" + body.replace("\n\n", "</p><p>")
            + "</p><br/><img src=\"cid:logo\"></body></html>")


def one(supply, kind, number, names_of=("mail", "T")):
    if kind == "out_of_scope":
        intent, text = "other", supply.line(kind, texts.OUT_OF_SCOPE)
    elif kind == "injection":
        intent, text = "other", supply.line(kind, texts.INJECTIONS)
    elif kind == "over_limit":
        intent, text = "refund_request", supply.line("refund", texts.ORDINARY["refund_request"])
    elif kind == "misspelt":
        intent, text = supply.intent_and_line(kind, texts.MISSPELT)
    elif kind == "language":
        intent, text = supply.intent_and_line(kind, texts.FOREIGN)
    else:
        intent, text = supply.intent_and_line("ordinary", texts.ORDINARY)
    return ticket_of(supply, kind, (intent, text), number, names_of)


def ticket_of(supply, kind, intent_and_text, number, names_of):
    """One ticket with this text."""
    intent, text = intent_and_text
    rng = supply.rng
    wants_order = intent not in WITHOUT_ORDER or (kind == "injection" and number % 2 == 0)
    order = supply.order(kind == "over_limit") if wants_order else None
    customer = (supply.customers[order[1]] if order
                else supply.customers[rng.choice(sorted(supply.customers))])
    first = customer["name"].split()[0]
    names = {"{order}": order[0] if order else "", "{name}": first, "{n}": f"{number % 10}"}
    if kind in ("out_of_scope", "injection"):
        subject, body = rng.choice(["", "Hello", "Question"]), text
    else:
        subject = rng.choice(texts.SUBJECTS)
        tail = texts.PERSONAL[number % len(texts.PERSONAL)] if kind == "personal" else ""
        opening = "" if kind == "language" else rng.choice(texts.GREETINGS)
        body = opening + text + tail + rng.choice(texts.CLOSINGS)
    for mark, value in names.items():
        subject, body = subject.replace(mark, value), body.replace(mark, value)
    data = {"ticket": f"{names_of[1]}-{number:05d}", "subject": subject,
            "body": html(body) if kind == "html" else body, "from": customer["email"]}
    if order:
        data["order"] = order[0]
    action = "none" if intent == "other" else "refund" if intent == "refund_request" else "case"
    truth = {"intent": intent, "action": action,
             "amount_cents": order[4] if order and action == "refund" else 0}
    return {"kind": kind, "event": f"{names_of[0]}-{number:05d}", "data": data,
            "customer": hashlib.sha256(customer["id"].encode()).hexdigest()[:24],
            "truth": truth, "order_cents": order[4] if order else 0, "expect": "accepted"}


def copy_of(original, kind, number):
    copy = json.loads(json.dumps(original))
    copy["kind"] = kind
    if kind == "refunded":  # another ticket wants the money for the same order once more
        copy["event"], copy["data"]["ticket"] = f"mail-{number:05d}", f"T-{number:05d}"
        copy["data"]["body"] = texts.AGAIN[number % len(texts.AGAIN)].replace(
            "{order}", copy["data"]["order"])
        copy["truth"].update(action="none", amount_cents=0)
    else:
        copy["expect"] = "repeated" if kind == "repeated" else "refused"
    if kind == "conflicting":
        copy["data"]["body"] += " PS: and please hurry."
    return copy


def make(seed, count):
    """-> tickets in the order in which they are sent; copies come after their first."""
    rng = random.Random(seed)
    supply = Supply(rng, 0, FIRST_ORDERS)
    kinds = [kind for kind, share in SHARES.items() if kind not in COPIES
             for _ in range(round(share * count))]
    copies = [kind for kind in COPIES for _ in range(round(SHARES[kind] * count))]
    kinds += ["ordinary"] * (count - len(kinds) - len(copies))
    rng.shuffle(kinds)
    tickets = [one(supply, kind, number) for number, kind in enumerate(kinds, 1)]
    early = tickets[:len(tickets) // 2]
    paid = [t for t in early if t["truth"]["action"] == "refund"]
    firsts = [rng.choice(early) if kind != "refunded" else paid.pop() if paid else None
              for kind in copies]
    for number, (first, kind) in enumerate(zip(firsts, copies), len(kinds) + 1):
        if first is not None:  # somewhere behind its first
            at = tickets.index(first)
            tickets.insert(rng.randint(at + 1, len(tickets)), copy_of(first, kind, number))
    return tickets


def make_burst(seed, count, first, last):
    """-> as many at once, of the same kinds but for copies, with these orders of the help desk."""
    rng = random.Random(seed + 1_000_003)
    supply = Supply(rng, first, last)
    kinds = [kind for kind, share in SHARES.items() if kind not in COPIES
             for _ in range(round(share * count))]
    kinds += ["ordinary"] * (count - len(kinds))
    rng.shuffle(kinds)
    return [one(supply, kind, number, ("burst", "B")) for number, kind in enumerate(kinds, 1)]


def main():
    parser = argparse.ArgumentParser(description="Makes the demo's tickets.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=340)
    parser.add_argument("--burst", type=int, default=0)
    options = parser.parse_args()
    work = make(options.seed, options.count)
    if options.burst:
        work += make_burst(options.seed, options.burst, FIRST_ORDERS, FIRST_ORDERS + options.burst)
    for ticket in work:
        print(json.dumps(ticket, ensure_ascii=False))


if __name__ == "__main__":
    main()
