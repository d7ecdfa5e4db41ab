# SPDX-License-Identifier: Apache-2.0
"""The simulated people of the demo. They are programs, and the demo says so.

The reviewer answers open reviews from what the ticket generator knows to be right. The approver is
the second person that the policy wants for money above the limit: he approves what is right, and
sends back what is not. The operator settles incidents: effects of which nobody knows whether they happened; he looks into the help
desk's own database and says it, or leaves the incident open where that does not tell.
"""

import sqlite3
import threading
import time

from processes import Unreachable

SETTLE_SECONDS = 3.0  # so long the help desk may be at work on a request that nobody waits for


class Reviewer(threading.Thread):
    """Named "simulated reviewer" in the server's keys, reviews and audit log."""

    status = "open"  # of the reviews that are for this person

    def __init__(self, api, leave=lambda review_id: False):
        """@param leave  says of a review whether somebody else answers it"""
        super().__init__(daemon=True)
        self._api, self._leave = api, leave
        self._truths = {}
        self._halt = threading.Event()
        self.answered, self.open, self.problem = 0, 0, None

    def learn_truths(self, work):
        """What is right for these tickets, as their generator knows it."""
        self._truths.update((ticket["data"]["ticket"], ticket["truth"]) for ticket in work
                            if ticket["expect"] == "accepted")

    def stop(self):
        self._halt.set()
        self.join(10)

    def run(self):
        while not self._halt.is_set():
            try:
                status, page = self._api.call("GET", f"/api/v1/reviews?status={self.status}&limit=200")
                if status == 200:
                    self.open = len(page["items"])
                    for review in page["items"]:
                        if self._halt.is_set():
                            return
                        if not self._leave(review["id"]):
                            self._answer(review)
            except Unreachable:
                pass  # the server is being restarted; the reviews will still be there
            self._halt.wait(0.3)

    def _answer(self, review):
        if "evidence" not in review:
            status, review = self._api.call("GET", f"/api/v1/reviews/{review['id']}")
            if status != 200:
                return
        truth = self._truths.get((review.get("evidence") or {}).get("ticket"))
        if truth is None:
            return
        what, said = self.say(truth, review)
        status, answer = self._api.call("POST", f"/api/v1/reviews/{review['id']}/{what}", said)
        if status == 200:
            self.answered += 1
        elif status not in (404, 409, 503):
            self.problem = f"review {review['id']}: {status} {answer}"

    def say(self, truth, review):
        """-> (what to do with the review, the request's body)"""
        return "answer", {"answer": self.decide(truth, review["evidence"])}

    @staticmethod
    def decide(truth, evidence):
        answer = {"intent": truth["intent"], "action": truth["action"],
                  "reply": "We have looked into it."}
        order = evidence.get("order")
        refused = any(why.startswith("the help desk refuses") for why in evidence.get("why", []))
        if answer["action"] == "refund":
            if not order:
                answer["action"] = "case"
            elif refused or order.get("refunded_cents", 0) > 0:
                answer["action"] = "none"  # the money of this order is back already
            else:
                answer.update(order=order["id"], amount_cents=truth["amount_cents"])
        return answer


class Approver(Reviewer):
    """Named "simulated approver"; another key, another name, so another person."""

    status = "approval"

    def __init__(self, api, trusts=lambda review_id: False):
        """@param trusts  says of a review whether a person at the keyboard answered it"""
        super().__init__(api)
        self._trusts = trusts

    def say(self, truth, review):
        if self._trusts(review["id"]):
            return "approve", {}
        wanted, given = self.decide(truth, review["evidence"]), review.get("proposal") or {}
        if all(given.get(name) == wanted.get(name) for name in ("action", "order", "amount_cents")):
            return "approve", {}
        return "send-back", {"reason": "this is not what the ticket and the order say"}


def happened(db, step, effect, customer, order):
    """What the help desk's books say of one effect, as the step would have got it for an answer.

    -> (known, result): the result when it happened, None when it did not; known is False where the
    books cannot tell. Nothing is ever made up: a refund is found by its key, a case by its
    reference, a notice by its customer and the order that its text is about.
    """
    if "payRefund" in step:
        rows, names = db.execute("select id, amount_cents from refunds where key=?",
                                 (effect,)).fetchall(), ("id", "amount_cents")
    elif "openCase" in step:
        rows, names = db.execute("select id, reference from cases where reference=?",
                                 (effect,)).fetchall(), ("id", "reference")
    elif "tellCustomer" in step and customer and order:
        rows, names = db.execute("select id from notices where customer=? and text like ?",
                                 (customer, f"% order {order} %")).fetchall(), ("id",)
    else:
        return False, None
    if len(rows) > 1:
        return False, None  # which of them is this one nobody can say
    return True, dict(zip(names, rows[0])) if rows else None


class Operator:
    """Settles what only a person can: looks into the help desk, then says what happened."""

    def __init__(self, api, help_desk_db):
        self._api, self._db = api, help_desk_db
        self._seen = {}  # incident -> when it was seen first
        self.settled, self.problem = 0, None

    def round(self, sender):
        for run in self._api.pages("/api/v1/runs?status=waiting"):
            incident = run.get("incident")
            if not incident:
                continue
            since = self._seen.setdefault(incident, time.monotonic())
            try:
                self._settle(run, incident, sender.ticket_of(run),
                             time.monotonic() - since >= SETTLE_SECONDS)
            except Unreachable:
                time.sleep(0.2)

    def _settle(self, run, incident, ticket, waited):
        """Not found proves nothing while the help desk may still be at work on it."""
        known, result = self._look(run["id"], incident, ticket)
        if not known:
            self.problem = f"run {run['id']}: the help desk's books do not tell what happened"
            return
        if result is None and not waited:
            return
        body = {"incident": incident, "resolution": "retry" if result is None else "happened"}
        if result is not None:
            body["result"] = result
        status, answer = self._api.call("POST", f"/api/v1/runs/{run['id']}/resolve", body)
        self.settled += status == 200
        if status not in (200, 404, 409, 503):
            self.problem = f"run {run['id']}: {status} {answer}"

    def _look(self, run_id, incident, ticket):
        history = self._api.want("GET", f"/api/v1/runs/{run_id}/history")["items"]
        said = [item["data"] for item in history
                if item.get("data", {}).get("incident") == incident and "effect" in item["data"]]
        if not said:
            return False, None
        data = ticket["data"] if ticket else {}
        db = sqlite3.connect(self._db)
        try:
            customer = db.execute("select id from customers where email=?",
                                  (data.get("from", ""),)).fetchone()
            return happened(db, said[-1]["step"], said[-1]["effect"],
                            customer[0] if customer else None, data.get("order"))
        finally:
            db.close()
