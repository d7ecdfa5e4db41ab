# SPDX-License-Identifier: Apache-2.0
"""The simulated people of the demo. They are programs, and the demo says so.

The reviewer answers open reviews from what the ticket generator knows to be right. The operator
settles incidents: an effect that can neither be repeated nor looked up, whose answer was lost; he
looks into the help desk's own database and says whether it happened.
"""

import sqlite3
import threading
import time

from processes import Unreachable


class Reviewer(threading.Thread):
    """Named "simulated reviewer" in the server's keys, reviews and audit log."""

    def __init__(self, api, truths):
        super().__init__(daemon=True)
        self._api, self._truths = api, truths
        self._halt = threading.Event()
        self.answered, self.open, self.problem = 0, 0, None

    def stop(self):
        self._halt.set()
        self.join(10)

    def run(self):
        while not self._halt.is_set():
            try:
                status, page = self._api.call("GET", "/api/v1/reviews?status=open&limit=200")
                if status == 200:
                    self.open = len(page["items"])
                    for review in page["items"]:
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
        status, answer = self._api.call("POST", f"/api/v1/reviews/{review['id']}/answer",
                                        {"answer": self.decide(truth, review["evidence"])})
        if status == 200:
            self.answered += 1
        elif status not in (404, 409, 503):
            self.problem = f"review {review['id']}: {status} {answer}"

    @staticmethod
    def decide(truth, evidence):
        answer = {"intent": truth["intent"], "action": truth["action"],
                  "reply": "We have looked into it."}
        if answer["action"] == "refund":
            if evidence.get("order"):
                answer["amount_cents"] = truth["amount_cents"]
            else:
                answer["action"] = "case"
        return answer


class Operator:
    """Settles what only a person can: looks into the help desk, then says what happened."""

    def __init__(self, api, help_desk_db):
        self._api, self._db = api, help_desk_db
        self.settled = 0

    def round(self, tickets_by_run):
        for run in self._api.pages("/api/v1/runs?status=waiting"):
            if not run.get("incident"):
                continue
            ticket = tickets_by_run.get(run["id"])
            body = {"incident": run["incident"], "resolution": "retry"}
            notice = self._notice_of(ticket["data"].get("order")) if ticket else None
            if notice:
                body.update(resolution="happened", result={"id": notice})
            try:
                status, _ = self._api.call("POST", f"/api/v1/runs/{run['id']}/resolve", body)
                self.settled += status == 200
            except Unreachable:
                time.sleep(0.2)

    def _notice_of(self, order):
        if not order:
            return None
        db = sqlite3.connect(self._db)
        try:
            row = db.execute("select id from notices where text like ? limit 1",
                             (f"%{order}%",)).fetchone()
        finally:
            db.close()
        return row[0] if row else None
