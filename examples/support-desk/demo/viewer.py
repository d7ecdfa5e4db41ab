# SPDX-License-Identifier: Apache-2.0
"""What the viewer does by his own hand: three reviews (--you-review), and the kill (--you-kill)."""

import textwrap
import time

from processes import DemoError, Unreachable

REVIEWS = 3
KILL_SECONDS = 120.0


class Viewer:
    """Answers reviews at the terminal, with a key of his own."""

    def __init__(self, api, screen, ask=input):
        self._api, self._screen, self._ask = api, screen, ask
        self.kept = []  # ids of reviews that the simulated reviewer leaves to him
        self.answered = 0

    def wants(self, review_id):
        """Whether the simulated reviewer must leave this one alone."""
        if review_id not in self.kept and len(self.kept) < REVIEWS:
            self.kept.append(review_id)
        return review_id in self.kept

    def review_all(self):
        for number, review_id in enumerate(list(self.kept), 1):
            review = self._api.want("GET", f"/api/v1/reviews/{review_id}")
            if review["status"] == "open":
                self._review(f"Review {number} of {len(self.kept)}", review)

    def _review(self, heading, review):
        evidence = review.get("evidence") or {}
        suggestion = review.get("suggestion") or {}
        self._screen.line(self._screen.paint(f"\n{heading}: {review['title']}", 1))
        text = str(evidence.get("text", "")).strip()
        self._screen.line(textwrap.indent(textwrap.fill(text, 76), "    "))
        for name in ("confidence", "why", "order"):
            if evidence.get(name):
                self._screen.line(f"  {name}: {evidence[name]}")
        while True:
            answer = {name: self._value(name, suggestion.get(name))
                      for name in ("intent", "action")}
            if answer["action"] == "refund":
                answer["order"] = self._value("order", suggestion.get("order"))
                answer["amount_cents"] = self._number(suggestion.get("amount_cents"))
            status, said = self._api.call("POST", f"/api/v1/reviews/{review['id']}/answer",
                                          {"answer": answer})
            if status == 200:
                self.answered += 1
                return
            self._screen.line(f"  not taken ({status}): {said.get('detail', said)}")
            if status in (404, 409):
                return

    def _value(self, name, suggested):
        given = self._ask(f"  {name} [{suggested}]: ").strip()
        return given or suggested

    def _number(self, suggested):
        given = self._ask(f"  amount in cents [{suggested}]: ").strip()
        return int(given) if given.isdigit() else suggested


def wait_for_kill(house, screen, show):
    """Until the viewer has ended the server himself, then up again on the same data."""
    pid = house.server.pid
    screen.line(screen.paint(f"  Your turn, in another terminal: kill -9 {pid}", 1))
    deadline = time.monotonic() + KILL_SECONDS
    while house.server.alive():
        if time.monotonic() > deadline:
            raise DemoError(f"nobody ended process {pid} within {KILL_SECONDS:.0f} s")
        try:
            show()
        except Unreachable:
            pass
        time.sleep(0.2)
    screen.line("  it is dead; starting it again on the same data")
    house.server_died()
