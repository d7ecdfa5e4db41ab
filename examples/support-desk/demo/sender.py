# SPDX-License-Identifier: Apache-2.0
"""Sends the tickets as CloudEvents at a steady rate, or as fast as they are taken, like a mail gateway
that never gives up: what was not answered is sent again with the same id."""

import collections
import datetime
import json
import threading
import time

from processes import Unreachable

SOURCE = "/demo/mail"
TYPE = "com.example.support.ticket.created.v1"
WORKERS = 8
PATIENCE_SECONDS = 90.0


def encode(ticket, at, binary):
    """-> (body, headers): the same bytes for the same ticket, however often it is sent."""
    attributes = {"specversion": "1.0", "id": ticket["event"], "source": SOURCE, "type": TYPE,
                  "subject": ticket["customer"], "time": at}
    data = ticket["data"]
    if binary:
        headers = {f"ce-{name}": value for name, value in attributes.items()}
        return json.dumps(data).encode(), {**headers, "Content-Type": "application/json"}
    event = {**attributes, "datacontenttype": "application/json", "data": data}
    return json.dumps(event).encode(), {"Content-Type": "application/cloudevents+json"}


class Sender:
    """Sends one list of tickets after another; the counts go on."""

    def __init__(self, api):
        self._api = api
        self._lock = threading.Lock()
        self._halt = threading.Event()
        self._thread = None
        self._times = {}
        self.sent = self.accepted = self.repeated = self.refused = self.again = 0
        self.runs = {}       # run id -> ticket
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

    def _bytes(self, ticket):
        """A repeated event has its first one's time and form; a conflicting one only its id."""
        with self._lock:
            now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
            at = self._times.setdefault(ticket["event"], now.replace("+00:00", "Z"))
        return encode(ticket, at, binary=int(ticket["event"][-1]) % 2 == 1)

    def _send(self, ticket):
        body, headers = self._bytes(ticket)
        deadline = time.monotonic() + PATIENCE_SECONDS
        wait = 0.1
        while not self._halt.is_set():
            try:
                status, answer = self._api.call("POST", "/api/v1/events", body, headers)
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
            if status == 202 and answer.get("status", "accepted") == "accepted":
                seen = "repeated" if ticket["expect"] == "repeated" else "accepted"
                if seen == "repeated":
                    self.repeated += 1
                else:
                    self.accepted += 1
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
