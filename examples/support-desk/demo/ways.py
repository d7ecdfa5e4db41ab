# SPDX-License-Identifier: Apache-2.0
"""The ways in which a ticket reaches the desk: as an event of the mail gateway, by the shop's signed
webhook, as a line of a file that is dropped in a folder, by the Task API. Which ticket takes which
follows from the seed. Each way may be taken again with the same ticket."""

import base64
import csv
import datetime
import hashlib
import hmac
import json
import os
import random
import threading
import time

SOURCE = "/demo/mail"
TYPE = "com.example.support.ticket.created.v1"
SHARES = {"shop": 0.15, "letters": 0.05, "tasks": 0.10}


def assign(tickets, seed):
    """Gives each ticket its way; what comes twice, and what has no such form, comes by mail."""
    rng = random.Random(f"ways-{seed}")
    taken = {}
    for ticket in tickets:
        taken[ticket["event"]] = taken.get(ticket["event"], 0) + 1
    for ticket in tickets:
        draw, way = rng.random(), "mail"
        for name, share in SHARES.items():
            if draw < share:
                way = name
                break
            draw -= share
        if taken[ticket["event"]] > 1 or (way == "letters" and ticket["data"].get("order")):
            way = "mail"
        ticket["way"] = way


class Mail:
    """CloudEvents, in both their HTTP forms."""

    def __init__(self, api):
        self._api = api
        self._lock = threading.Lock()
        self._times = {}

    def send(self, ticket):
        """-> (status, answer). A repeated event has its first one's time and form."""
        with self._lock:
            now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
            at = self._times.setdefault(ticket["event"], now.replace("+00:00", "Z"))
        binary = int(ticket["event"][-1]) % 2 == 1
        return self._api.call("POST", "/api/v1/events", *self._encode(ticket, at, binary))

    @staticmethod
    def _encode(ticket, at, binary):
        attributes = {"specversion": "1.0", "id": ticket["event"], "source": SOURCE, "type": TYPE,
                      "subject": ticket["customer"], "time": at}
        data = ticket["data"]
        if binary:
            headers = {f"ce-{name}": value for name, value in attributes.items()}
            return json.dumps(data).encode(), {**headers, "Content-Type": "application/json"}
        event = {**attributes, "datacontenttype": "application/json", "data": data}
        return json.dumps(event).encode(), {"Content-Type": "application/cloudevents+json"}


class Shop:
    """The shop's contact form: signed by Standard Webhooks, no API key."""

    def __init__(self, api, secret):
        self._api, self._key = api, base64.b64decode(secret.removeprefix("whsec_"))

    def send(self, ticket):
        data = ticket["data"]
        body = json.dumps({"number": data["ticket"], "title": data.get("subject", ""),
                           "message": data["body"], "customer": {"email": data["from"]},
                           "order": data.get("order")}).encode()
        stamp = str(int(time.time()))
        signed = f"{ticket['event']}.{stamp}.".encode() + body
        digest = base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).decode()
        return self._api.call("POST", "/hooks/shop", body, {
            "Content-Type": "application/json", "webhook-id": ticket["event"],
            "webhook-timestamp": stamp, "webhook-signature": "v1," + digest})


class Letters:
    """A file a letter, moved into the folder when it is whole."""

    def __init__(self, folder):
        self._folder = folder
        os.makedirs(folder, exist_ok=True)

    def send(self, ticket):
        data = ticket["data"]
        path = os.path.join(self._folder, ticket["event"] + ".csv")
        with open(path + ".part", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("number", "customer", "title", "text"))
            writer.writerow((data["ticket"], data["from"], data.get("subject", ""), data["body"]))
        os.rename(path + ".part", path)
        return 202, {"status": "accepted"}


class Tasks:
    """A program that hands in work and may ask for it later."""

    def __init__(self, api):
        self._api = api

    def send(self, ticket):
        body = {"workflow": "support/ticket", "input": [{"data": ticket["data"]}]}
        status, answer = self._api.call("POST", "/api/v1/tasks", body,
                                        {"Idempotency-Key": ticket["event"]})
        if status == 202 and isinstance(answer, dict):
            answer = {**answer, "status": "accepted", "run": answer.get("id")}
        return status, answer
