#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The help desk: a small business system of its own, outside of aios.

It shares no code with aios. Customers, orders, cases, refunds, notices and replies live in its own SQLite
file, with one row in `requests` for every business request received, answered or not, so that
anybody can count with `sqlite3` what really arrived:

    sqlite3 helpdesk.db "select operation, count(*) from requests group by 1"

It can be told to fail the ways real systems fail: a reply lost after the commit, an error before
it, 429 with Retry-After, slowness, an outage (see parse_faults).

    helpdesk.py --db FILE --port 0 --ready-file FILE --token SECRET [--faults SPEC] [--seed N]
"""

import argparse
import contextlib
import hashlib
import http.server
import json
import os
import random
import signal
import socket
import socketserver
import sqlite3
import sys
import threading
import time
import urllib.parse

BODY_BYTES_MAX = 64 * 1024
CONNECTIONS_MAX = 256
IDLE_SECONDS = 30.0
CUSTOMERS = 200
ORDERS = 400

OPERATIONS = ("find_customer", "find_order", "open_case", "find_case", "pay_refund", "send_notice",
              "send_reply")
FAULT_KINDS = ("lost", "error", "throttle", "slow", "outage")

SCHEMA = """
create table if not exists customers (
  id text primary key, email text not null unique, name text not null, city text not null,
  since text not null);
create table if not exists orders (
  id text primary key, customer text not null references customers(id), status text not null,
  item text not null, amount_cents integer not null, currency text not null,
  placed_at text not null);
create table if not exists cases (
  number integer primary key autoincrement, id text, reference text not null,
  intent text not null, customer text, order_id text, summary text, at real not null);
create index if not exists cases_by_reference on cases(reference);
create table if not exists refunds (
  number integer primary key autoincrement, id text, key text not null unique,
  order_id text not null, amount_cents integer not null, reason text, body_digest text not null,
  at real not null);
create index if not exists refunds_by_order on refunds(order_id);
create table if not exists notices (
  number integer primary key autoincrement, id text, customer text not null,
  text text not null, at real not null);
create table if not exists replies (
  number integer primary key autoincrement, id text, key text not null unique,
  customer text not null, article text not null, text text not null, body_digest text not null,
  at real not null);
create table if not exists requests (
  id integer primary key autoincrement, at real not null, method text not null,
  path text not null, operation text not null, reference text, body_digest text,
  amount_cents integer, fault text, status integer);
"""

ITEMS = (
    ("wool blanket", 4990), ("desk lamp", 3450), ("coffee grinder", 7900), ("rain jacket", 9495),
    ("running shoes", 8990), ("tea kettle", 2999), ("phone case", 1490), ("backpack", 6900),
    ("cotton sheets", 5480), ("bread knife", 2250), ("yoga mat", 2890), ("bike light set", 3990),
    ("office chair", 24900), ("espresso machine", 54900), ("tent for four", 31900),
    ("photo book", 1995), ("hiking socks", 1290), ("garden hose", 4590), ("notebook set", 1180),
    ("headphones", 8750))
FIRST = ("Anna", "Ben", "Carla", "David", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas",
         "Klara", "Luca", "Mara", "Nils", "Olga", "Pavel", "Ruth", "Sami", "Tilda", "Viktor")
LAST = ("Adler", "Brandt", "Costa", "Dupont", "Eriksen", "Fischer", "Garcia", "Horvat", "Ivanova",
        "Jansen", "Keller", "Lindholm", "Moreau", "Novak", "Okafor", "Petit", "Rossi", "Schulz",
        "Toth", "Weber")
CITIES = ("Bremen", "Lyon", "Turin", "Gdansk", "Ghent", "Porto", "Graz", "Aarhus", "Utrecht",
          "Sevilla")


def seed_rows(count=ORDERS):
    """The same customers and orders on every machine: a plain function of the row number."""
    customers = []
    for i in range(CUSTOMERS):
        first, last = FIRST[i % len(FIRST)], LAST[(i * 7 + i // len(FIRST)) % len(LAST)]
        email = f"{first}.{last}{i}@example.com".lower()
        since = f"20{18 + i % 7}-{1 + i % 12:02d}-{1 + i % 28:02d}"
        customers.append((f"C{1000 + i}", email, f"{first} {last}", CITIES[i % len(CITIES)], since))
    orders = []
    for i in range(count):
        item, price = ITEMS[(i * 11 + i // 20) % len(ITEMS)]
        status = ("delivered", "shipped", "delivered", "paid", "delivered")[i % 5]
        placed = f"2026-{1 + i % 9:02d}-{1 + (i * 3) % 28:02d}"
        orders.append((f"ORD-{10001 + i}", f"C{1000 + i % CUSTOMERS}", status, item, price, "EUR",
                       placed))
    return customers, orders


def parse_faults(spec):
    """"pay_refund.lost=0.1,*.slow=0.05:300" -> {operation: {kind: (probability, parameter)}}.

    kinds: lost (commit, then close without an answer), error (500 before anything is done),
    throttle (429; parameter: seconds in Retry-After), slow (parameter: milliseconds),
    outage (close at once). "*" stands for every operation; "" or "none" switches all off.
    """
    faults = {}
    for part in (spec or "").replace("none", "").split(","):
        part = part.strip()
        if not part:
            continue
        name, found, value = part.partition("=")
        operation, dot, kind = name.rpartition(".")
        if not found or not dot or kind not in FAULT_KINDS or operation not in OPERATIONS + ("*",):
            raise ValueError(f"fault '{part}' found, wanted <operation>.<kind>=<probability>[:<n>]"
                             f" with kind in {', '.join(FAULT_KINDS)}")
        probability, _, parameter = value.partition(":")
        chance = float(probability)
        if not 0.0 <= chance <= 1.0:
            raise ValueError(f"probability {probability} found in '{part}', wanted 0 to 1")
        for one in OPERATIONS if operation == "*" else (operation,):
            faults.setdefault(one, {})[kind] = (chance, float(parameter) if parameter else None)
    return faults


class Faults:
    """Decides, from a seed, which request meets which fault."""

    def __init__(self, spec, seed):
        self._lock = threading.Lock()
        self._outage_until = 0.0
        self.set(spec, seed)

    def set(self, spec, seed=None, outage_seconds=0.0):
        table = parse_faults(spec) if spec is not None else None
        with self._lock:
            if table is not None:
                self.spec, self._table = spec, table
            if seed is not None:
                self._random = random.Random(seed)
            self._outage_until = time.monotonic() + outage_seconds if outage_seconds else 0.0

    def draw(self, operation):
        """-> (kind or None, parameter); slowness may come with any other fault but counts alone."""
        with self._lock:
            if time.monotonic() < self._outage_until:
                return "outage", None
            for kind in ("outage", "error", "throttle", "lost", "slow"):
                chance, parameter = self._table.get(operation, {}).get(kind, (0.0, None))
                if chance > 0.0 and self._random.random() < chance:
                    return kind, parameter
        return None, None


class Desk:
    """The business itself: rows in SQLite, one lock around one connection."""

    def __init__(self, path, orders=ORDERS):
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=normal")
        self._db.executescript(SCHEMA)
        if self._db.execute("select count(*) from customers").fetchone()[0] == 0:
            customers, rows = seed_rows(orders)
            self._db.execute("begin")
            self._db.executemany("insert into customers values (?,?,?,?,?)", customers)
            self._db.executemany("insert into orders values (?,?,?,?,?,?,?)", rows)
            self._db.execute("commit")

    def close(self):
        with self._lock:
            self._db.execute("pragma wal_checkpoint(truncate)")
            self._db.close()

    @contextlib.contextmanager
    def _at_once(self):
        """All of it or nothing, also when this process is killed in the middle. Holds the lock."""
        self._db.execute("begin")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def received(self, method, path, operation, reference, digest, amount, fault):
        with self._lock:
            return self._db.execute(
                "insert into requests(at,method,path,operation,reference,body_digest,amount_cents,"
                "fault) values (?,?,?,?,?,?,?,?)",
                (time.time(), method, path, operation, reference, digest, amount, fault)).lastrowid

    def answered(self, row, status):
        with self._lock:
            self._db.execute("update requests set status=? where id=?", (status, row))

    def _one(self, columns, sql, values):
        row = self._db.execute(sql, values).fetchone()
        return dict(zip(columns, row)) if row else None

    def find_customer(self, who):
        with self._lock:
            found = self._one(("id", "email", "name", "city", "since"),
                              "select * from customers where id=? or email=?", (who, who.lower()))
        return (200, found) if found else (404, {"error": "no such customer"})

    def find_order(self, order):
        with self._lock:
            found = self._one(
                ("id", "customer", "status", "item", "amount_cents", "currency", "placed_at",
                 "refunded_cents"),
                "select *, (select coalesce(sum(amount_cents),0) from refunds "
                "where order_id=orders.id) from orders where id=?", (order.upper(),))
        return (200, found) if found else (404, {"error": "no such order"})

    _CASE = ("id", "reference", "intent", "customer", "order", "summary")

    def find_case(self, reference):
        with self._lock:
            rows = self._db.execute("select id,reference,intent,customer,order_id,summary from "
                                    "cases where reference=? order by number limit 100",
                                    (reference,)).fetchall()
        return 200, {"cases": [dict(zip(self._CASE, row)) for row in rows]}

    def open_case(self, body):
        """No key is honoured: the same body twice gives two cases, as in many real systems."""
        for name in ("reference", "intent"):
            if not isinstance(body.get(name), str) or not body[name]:
                return 422, {"error": f"'{name}' must be a text"}
        values = tuple(body.get(n) for n in ("reference", "intent", "customer", "order", "summary"))
        if any(v is not None and not isinstance(v, str) for v in values):
            return 422, {"error": "customer, order and summary must be texts"}
        with self._lock, self._at_once():
            number = self._db.execute(
                "insert into cases(reference,intent,customer,order_id,summary,at) "
                "values (?,?,?,?,?,?)", values + (time.time(),)).lastrowid
            case = f"CASE-{number:06d}"
            self._db.execute("update cases set id=? where number=?", (case, number))
        return 201, dict(zip(self._CASE, (case,) + values))

    def pay_refund(self, key, digest, body):
        """The same key with the same body: the first answer; with another body: 409."""
        if not key or len(key) > 200:
            return 400, {"error": "header Idempotency-Key with 1 to 200 characters wanted"}
        amount, order = body.get("amount_cents"), body.get("order")
        if type(amount) is not int or amount <= 0 or not isinstance(order, str):
            return 422, {"error": "order (text) and amount_cents (whole number > 0) wanted"}
        with self._lock:
            first = self._db.execute(
                "select id,order_id,amount_cents,body_digest from refunds where key=?",
                (key,)).fetchone()
            if first:
                if first[3] != digest:
                    return 409, {"error": "this key came before with another body"}
                return 201, {"id": first[0], "order": first[1], "amount_cents": first[2]}
            known = self._db.execute(
                "select amount_cents, (select coalesce(sum(amount_cents),0) from refunds "
                "where order_id=orders.id) from orders where id=?", (order,)).fetchone()
            if not known:
                return 404, {"error": "no such order"}
            if amount > known[0] - known[1]:
                return 422, {"error": f"of the order's {known[0]} cents {known[1]} are refunded "
                                      "already, and amount is above the rest"}
            with self._at_once():
                number = self._db.execute(
                    "insert into refunds(key,order_id,amount_cents,reason,body_digest,at) "
                    "values (?,?,?,?,?,?)",
                    (key, order, amount, str(body.get("reason", ""))[:500], digest,
                     time.time())).lastrowid
                refund = f"RF-{number:06d}"
                self._db.execute("update refunds set id=? where number=?", (refund, number))
        return 201, {"id": refund, "order": order, "amount_cents": amount}

    def send_notice(self, body):
        """Neither key nor look-up: sent twice is sent twice."""
        customer, text = body.get("customer"), body.get("text")
        if not isinstance(customer, str) or not isinstance(text, str) or not text:
            return 422, {"error": "customer and text wanted"}
        with self._lock, self._at_once():
            number = self._db.execute("insert into notices(customer,text,at) values (?,?,?)",
                                      (customer, text, time.time())).lastrowid
            notice = f"NT-{number:06d}"
            self._db.execute("update notices set id=? where number=?", (notice, number))
        return 202, {"id": notice}

    def send_reply(self, key, digest, body):
        """An answer to a customer, with the article it is taken from; keys as with refunds."""
        if not key or len(key) > 200:
            return 400, {"error": "header Idempotency-Key with 1 to 200 characters wanted"}
        customer, article, text = body.get("customer"), body.get("article"), body.get("text")
        if not all(isinstance(one, str) and one for one in (customer, article, text)):
            return 422, {"error": "customer, article and text wanted"}
        with self._lock:
            first = self._db.execute("select id,article,body_digest from replies where key=?",
                                     (key,)).fetchone()
            if first:
                if first[2] != digest:
                    return 409, {"error": "this key came before with another body"}
                return 201, {"id": first[0], "article": first[1]}
            with self._at_once():
                number = self._db.execute(
                    "insert into replies(key,customer,article,text,body_digest,at) "
                    "values (?,?,?,?,?,?)",
                    (key, customer, article, text[:5000], digest, time.time())).lastrowid
                reply = f"RP-{number:06d}"
                self._db.execute("update replies set id=? where number=?", (reply, number))
        return 201, {"id": reply, "article": article}


class Refused(Exception):
    """Ends a request with a status before it reaches the business."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status, self.text = status, text


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = IDLE_SECONDS
    server_version = "helpdesk"
    sys_version = ""

    def log_message(self, format, *args):  # one row a request is the log
        pass

    def do_GET(self):
        self._serve("GET")

    def do_POST(self):
        self._serve("POST")

    def _serve(self, method):
        try:
            raw = self._body()
            url = urllib.parse.urlsplit(self.path)
            if method == "GET" and url.path == "/healthz":
                return self._answer(200, {"status": "ok"})
            if self.headers.get("Authorization") != f"Bearer {self.server.token}":
                raise Refused(401, "a valid bearer token is wanted")
            if url.path == "/_faults":
                return self._faults(method, raw)
            self._business(method, url, raw)
        except Refused as refused:
            self._answer(refused.status, {"error": refused.text})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _body(self):
        """Reads the whole body whatever comes after: a kept-alive connection must stay whole."""
        if self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            raise Refused(411, "Content-Length wanted, chunked bodies are not taken")
        text = self.headers.get("Content-Length", "0")
        if not text.isdigit() or int(text) > BODY_BYTES_MAX:
            self.close_connection = True
            raise Refused(413, f"a body of at most {BODY_BYTES_MAX} bytes is wanted")
        raw = self.rfile.read(int(text))
        if len(raw) != int(text):
            self.close_connection = True
            raise Refused(400, "the body ended early")
        return raw

    @staticmethod
    def _object(raw):
        try:
            body = json.loads(raw or b"null")
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise Refused(400, "a JSON object is wanted")
        return body

    def _faults(self, method, raw):
        if method == "POST":
            body = self._object(raw)
            try:
                self.server.faults.set(body.get("spec"), body.get("seed"),
                                       float(body.get("outage_seconds", 0)))
            except (TypeError, ValueError) as error:
                raise Refused(422, str(error)) from None
        self._answer(200, {"spec": self.server.faults.spec})

    def _route(self, method, url):
        """-> (operation, argument from the path or the query)"""
        parts = [urllib.parse.unquote(p) for p in url.path.strip("/").split("/")]
        if method == "GET" and len(parts) == 2 and parts[0] in ("customers", "orders"):
            return ("find_customer" if parts[0] == "customers" else "find_order"), parts[1]
        if method == "GET" and parts == ["cases"]:
            reference = urllib.parse.parse_qs(url.query).get("reference", [""])[0]
            return "find_case", reference
        if method == "POST" and len(parts) == 1:
            operation = {"cases": "open_case", "refunds": "pay_refund",
                         "notices": "send_notice", "replies": "send_reply"}.get(parts[0])
            if operation:
                return operation, None
        raise Refused(404, "no such path")

    def _business(self, method, url, raw):
        operation, argument = self._route(method, url)
        body = self._object(raw) if method == "POST" else {}
        key = self.headers.get("Idempotency-Key")
        reference = key or argument or body.get("reference")
        amount = body.get("amount_cents")
        digest = hashlib.sha256(raw).hexdigest() if raw else None
        kind, parameter = self.server.faults.draw(operation)
        row = self.server.desk.received(
            method, self.path[:500], operation, str(reference)[:200] if reference else None, digest,
            amount if type(amount) is int and abs(amount) < 2**62 else None, kind)
        if kind == "outage":
            return self._hang_up()
        if kind == "error":
            return self._finish(row, 500, {"error": "internal error"})
        if kind == "throttle":
            wait = str(int(parameter or 1))
            return self._finish(row, 429, {"error": "too many requests"}, {"Retry-After": wait})
        if kind == "slow":
            time.sleep(min((parameter or 300.0) / 1000.0, 10.0))
        status, answer = self._perform(operation, argument, key, digest, body)
        if kind == "lost":
            return self._hang_up()
        self._finish(row, status, answer)

    def _perform(self, operation, argument, key, digest, body):
        desk = self.server.desk
        if operation == "find_customer":
            return desk.find_customer(argument)
        if operation == "find_order":
            return desk.find_order(argument)
        if operation == "find_case":
            return desk.find_case(argument)
        if operation == "open_case":
            return desk.open_case(body)
        if operation == "pay_refund":
            return desk.pay_refund(key, digest, body)
        if operation == "send_reply":
            return desk.send_reply(key, digest, body)
        return desk.send_notice(body)

    def _hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _finish(self, row, status, answer, headers=None):
        self.server.desk.answered(row, status)
        self._answer(status, answer, headers)

    def _answer(self, status, answer, headers=None):
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, address, desk, token, faults):
        self.desk, self.token, self.faults = desk, token, faults
        self._slots = threading.BoundedSemaphore(CONNECTIONS_MAX)
        super().__init__(address, Handler)

    def server_bind(self):  # without the name look-up of HTTPServer
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def process_request(self, request, client_address):
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)  # more callers than we serve: hang up
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (OSError, ValueError)):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description="The help desk of the support example.")
    parser.add_argument("--db", required=True, help="SQLite file, made when absent")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--ready-file", help="gets the port when requests are taken")
    parser.add_argument("--token", default=os.environ.get("HELPDESK_TOKEN"),
                        help="bearer token wanted of callers (or HELPDESK_TOKEN)")
    parser.add_argument("--faults", default="", help='e.g. "pay_refund.lost=0.1,*.slow=0.05:300"')
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    parser.add_argument("--orders", type=int, default=ORDERS,
                        help=f"that a new file is made with (default {ORDERS})")
    options = parser.parse_args()
    if not options.token:
        parser.error("a token is wanted: --token or HELPDESK_TOKEN")
    try:
        faults = Faults(options.faults, options.seed)
    except ValueError as error:
        parser.error(str(error))
    desk = Desk(options.db, options.orders)
    try:
        server = Server((options.host, options.port), desk, options.token, faults)
    except OSError as error:
        print(f"helpdesk: cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 1

    def stop(_signal, _frame):  # shutdown() waits for the loop, so not on its own thread
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if options.ready_file:
        with open(options.ready_file + ".tmp", "w", encoding="ascii") as file:
            file.write(f"{server.server_port}\n")
        os.replace(options.ready_file + ".tmp", options.ready_file)
    print(f"helpdesk: listening on {options.host}:{server.server_port}", file=sys.stderr)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    desk.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
