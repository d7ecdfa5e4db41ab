#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A model server of somebody else's, in another region: outside of aios, sharing no code with it.

It speaks the OpenAI chat completions API as far as a classification needs it: the labels come from
the request's own JSON Schema, and the label whose words the text holds most often wins. Every
request that arrives is one row of `requests` in its SQLite file, with the text as it was received,
before it is answered or not:

    sqlite3 models.db "select count(*), sum(text like '%@%') from requests"

POST /faults {"kind": KIND, "count": N} makes the next N requests fail: slow (answers after
--slow-seconds), throttle (429 with Retry-After: 1), error (500), lost (closed without an answer),
garbage (200 with something that is not JSON), cut (closed in the middle of the body), outside (a
label that is not in the set), length (cut off at the bound of its output), refusal.

    modelserver.py --db FILE --port 0 --ready-file FILE --token SECRET
"""

import argparse
import http.server
import json
import os
import re
import signal
import sqlite3
import sys
import threading
import time

BODY_BYTES_MAX = 2 * 1024 * 1024
FAULTS = ("slow", "throttle", "error", "lost", "garbage", "cut", "outside", "length", "refusal")
SCHEMA = """create table if not exists requests (
  number integer primary key autoincrement, at real not null, model text, text text not null,
  body_bytes integer not null, fault text not null, prompt_tokens integer not null,
  completion_tokens integer not null)"""


def tokens_of(text):
    """Words and punctuation: never more than there are bytes."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def classify(text, labels):
    """The label most of whose words stand in the text; the first of the set when none does."""
    words = set(re.findall(r"[a-z]+", text.lower()))

    def share(label):
        own = re.findall(r"[a-z]+", label.lower())
        return sum(word in words for word in own) / max(len(own), 1)

    best = max(labels, key=share)
    return best, round(0.5 + share(best) * 0.45, 2)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, options):
        super().__init__(("127.0.0.1", options.port), Handler)
        self.options = options
        self.lock = threading.Lock()
        self.faults = []
        self.db = sqlite3.connect(options.db, check_same_thread=False)
        self.db.execute(SCHEMA)
        self.db.commit()

    def record(self, request, body_bytes, text, answer):
        """Counts the request before anything is answered; gives the fault that is its turn."""
        with self.lock:
            fault = self.faults.pop(0) if self.faults else ""
            self.db.execute(
                "insert into requests(at, model, text, body_bytes, fault, prompt_tokens,"
                " completion_tokens) values (?, ?, ?, ?, ?, ?, ?)",
                (time.time(), request.get("model"), text, body_bytes, fault,
                 tokens_of(json.dumps(request["messages"])), tokens_of(answer)))
            self.db.commit()
        return fault


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status, code, headers=()):
        error = {"message": "see the code", "type": "error", "param": None, "code": code}
        self.answer(status, {"error": error}, headers)

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            return self.refuse(413, "too_large")
        raw = self.rfile.read(int(length))
        if self.headers.get("authorization") != "Bearer " + self.server.options.token:
            return self.refuse(401, "invalid_api_key")
        try:
            body = json.loads(raw)
            if self.path == "/faults":
                return self.set_faults(body)
            if self.path != "/v1/chat/completions":
                return self.refuse(404, "not_found")
            labels = body["response_format"]["json_schema"]["schema"]["properties"]["label"]["enum"]
            text = body["messages"][-1]["content"]
        except (ValueError, LookupError, TypeError):
            return self.refuse(400, "invalid_request")
        self.complete(body, len(raw), text, labels)

    def set_faults(self, body):
        if body["kind"] not in FAULTS:
            return self.refuse(400, "unknown_fault")
        with self.server.lock:
            self.server.faults = [body["kind"]] * int(body["count"])
        self.answer(200, {})

    def complete(self, body, body_bytes, text, labels):
        label, confidence = classify(text, labels)
        answer = json.dumps({"label": label, "confidence": confidence})
        fault = self.server.record(body, body_bytes, text, answer)
        if fault == "slow":
            time.sleep(self.server.options.slow_seconds)
        elif fault == "throttle":
            return self.refuse(429, "rate_limit_exceeded", [("retry-after", "1")])
        elif fault == "error":
            return self.refuse(500, "server_error")
        elif fault == "lost":
            self.close_connection = True
            return None
        elif fault == "garbage":
            return self.answer(200, b"<html>please wait</html>")
        elif fault == "outside":
            answer = json.dumps({"label": label + "?", "confidence": confidence})
        reply = json.dumps(self.completion(body, answer, fault)).encode()
        if fault != "cut":
            return self.answer(200, reply)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply[:len(reply) // 2])
        self.close_connection = True
        return None

    def completion(self, body, answer, fault):
        used = {"prompt_tokens": tokens_of(json.dumps(body["messages"])),
                "completion_tokens": tokens_of(answer)}
        used["total_tokens"] = sum(used.values())
        message = {"role": "assistant", "content": answer, "refusal": None}
        if fault == "refusal":
            message.update(content=None, refusal="I cannot help with that.")
        return {"id": "chatcmpl-1", "object": "chat.completion", "created": int(time.time()),
                "model": body["model"] + "-2026-08", "usage": used,
                "choices": [{"index": 0, "message": message, "logprobs": None,
                             "finish_reason": "length" if fault == "length" else "stop"}]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ready-file", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--slow-seconds", type=float, default=3.0)
    options = parser.parse_args()
    server = Server(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with open(options.ready_file + ".tmp", "w", encoding="ascii") as file:
        file.write(str(server.server_address[1]))
    os.rename(options.ready_file + ".tmp", options.ready_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
