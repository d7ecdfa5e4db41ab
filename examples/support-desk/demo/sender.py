# SPDX-License-Identifier: Apache-2.0
"""Sends the tickets at a steady rate, or as fast as they are taken, and never gives up: what was not
answered is sent again, the same."""

import collections
import threading
import time

from processes import Unreachable

WORKERS = 8
PATIENCE_SECONDS = 90.0


class Sender:
    """Sends one list of tickets after another; the counts go on."""

    def __init__(self, ways):
        """@param ways  {name: what sends a ticket so}"""
        self._ways = ways
        self._lock = threading.Lock()
        self._halt = threading.Event()
        self._thread = None
        self.sent = self.accepted = self.repeated = self.refused = self.again = 0
        self.by_way = collections.Counter()
        self.runs = {}       # run id -> ticket
        self.tickets = {}    # its number -> ticket, of those that were accepted
        self.answers = []    # (event, ticket, kind, status, what it was): one a ticket sent
        self.surprises = []  # answers that were not the expected ones

    def start(self, tickets, rate):
        """@param rate  tickets a second; None: as fast as they are taken"""
        self._thread = threading.Thread(target=self._send_all, args=(tickets, rate), daemon=True)
        self._thread.start()

    def at_work(self):
        return self._thread is not None and self._thread.is_alive()

    def stop(self):
        self._halt.set()

    def _send_all(self, tickets, rate):
        due = collections.deque((index / rate if rate else 0.0, ticket)
                                for index, ticket in enumerate(tickets))
        start = time.monotonic()
        workers = [threading.Thread(target=self._send_due, args=(due, start), daemon=True)
                   for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def _send_due(self, due, start):
        while not self._halt.is_set():
            with self._lock:
                if not due:
                    return
                at, ticket = due.popleft()
            if not self._halt.wait(max(0.0, start + at - time.monotonic())):
                self._send(ticket)

    def _send(self, ticket):
        way = self._ways[ticket.get("way", "mail")]
        deadline = time.monotonic() + PATIENCE_SECONDS
        wait = 0.1
        while not self._halt.is_set():
            try:
                status, answer = way.send(ticket)
            except Unreachable:
                status, answer = 0, None
            if status not in (0, 429, 503) or time.monotonic() > deadline:
                return self._count(ticket, status, answer)
            with self._lock:
                self.again += 1
            self._halt.wait(wait)
            wait = min(wait * 2, 1.0)

    def _count(self, ticket, status, answer):
        answer = answer if isinstance(answer, dict) else {}
        with self._lock:
            self.sent += 1
            self.by_way[ticket.get("way", "mail")] += 1
            if status == 202 and answer.get("status", "accepted") == "accepted":
                seen = "repeated" if ticket["expect"] == "repeated" else "accepted"
                if seen == "repeated":
                    self.repeated += 1
                else:
                    self.accepted += 1
                    self.tickets[ticket["data"]["ticket"]] = ticket
                if answer.get("run"):
                    self.runs.setdefault(answer["run"], ticket)
            else:
                seen = "refused" if 400 <= status < 500 else f"status {status}"
                self.refused += 1
            self.answers.append((ticket["event"], ticket["data"]["ticket"], ticket["kind"], status,
                                 seen))
            if seen != ticket["expect"]:
                self.surprises.append(f"{ticket['event']} ({ticket['kind']}): {seen}, expected "
                                      f"{ticket['expect']}: {answer.get('detail', answer)}")

    def ticket_of(self, run):
        """What a run is about: by its id, or, where no answer named it, by what it began with."""
        begun = run.get("input")
        first = begun[0] if isinstance(begun, list) and begun else {}
        return self.runs.get(run["id"]) or self.tickets.get(first.get("data", {}).get("ticket"))
