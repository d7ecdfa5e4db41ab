# SPDX-License-Identifier: Apache-2.0
"""The model server as its callers see it: over a socket, with its own process and database."""

import http.client
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "..", "secondopinion", "modelserver.py")
TOKEN = "only-for-tests"
LABELS = ["order_status", "refund_request", "other"]


def request_of(text):
    schema = {"type": "object", "properties": {"label": {"type": "string", "enum": LABELS}}}
    return {"model": "small-1",
            "messages": [{"role": "system", "content": "classify"},
                         {"role": "user", "content": text}],
            "response_format": {"type": "json_schema",
                                "json_schema": {"name": "c", "schema": schema}}}


class ModelServerTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.db = os.path.join(self.directory.name, "models.db")
        ready = os.path.join(self.directory.name, "ready")
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, "--db", self.db, "--ready-file", ready, "--token", TOKEN,
             "--slow-seconds", "0.1"])
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.terminate)
        deadline = time.monotonic() + 20
        while not os.path.exists(ready):
            self.assertIsNone(self.process.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        with open(ready, encoding="ascii") as file:
            self.port = int(file.read())

    def call(self, body, path="/v1/chat/completions", token=TOKEN):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self.addCleanup(connection.close)
        connection.request("POST", path, json.dumps(body), {"Authorization": "Bearer " + token})
        response = connection.getresponse()
        return response.status, response.read(), response.headers

    def fail(self, kind, count=1):
        self.assertEqual(self.call({"kind": kind, "count": count}, "/faults")[0], 200)

    def rows(self):
        with sqlite3.connect(self.db) as db:
            return db.execute("select text, fault, prompt_tokens from requests").fetchall()

    def answer(self, text):
        status, body, _ = self.call(request_of(text))
        self.assertEqual(status, 200)
        reply = json.loads(body)
        return reply, json.loads(reply["choices"][0]["message"]["content"])

    def test_answers_with_a_label_of_the_set_and_what_it_used(self):
        reply, said = self.answer("What is the status of my order?")
        self.assertEqual(said["label"], "order_status")
        self.assertLessEqual(said["confidence"], 1)
        self.assertEqual(reply["usage"]["prompt_tokens"], self.rows()[0][2])
        self.assertEqual(self.answer("I want a refund")[1]["label"], "refund_request")
        self.assertEqual([row[0] for row in self.rows()],
                         ["What is the status of my order?", "I want a refund"])

    def test_without_its_key_nothing_is_counted(self):
        self.assertEqual(self.call(request_of("x"), token="other")[0], 401)
        self.assertEqual(self.call({"model": "small-1"})[0], 400)
        self.assertEqual(self.rows(), [])

    def test_every_fault_is_counted_and_lasts_as_long_as_it_was_asked_for(self):
        self.fail("throttle", 2)
        for _ in range(2):
            status, _, headers = self.call(request_of("x"))
            self.assertEqual((status, headers["retry-after"]), (429, "1"))
        self.assertEqual(self.call(request_of("x"))[0], 200)
        self.fail("error")
        self.assertEqual(self.call(request_of("x"))[0], 500)
        self.fail("lost")
        with self.assertRaises(http.client.RemoteDisconnected):
            self.call(request_of("x"))
        self.fail("cut")
        with self.assertRaises(http.client.IncompleteRead):
            self.call(request_of("x"))
        self.fail("garbage")
        with self.assertRaises(ValueError):
            json.loads(self.call(request_of("x"))[1])
        self.fail("outside")
        self.assertNotIn(self.answer("x")[1]["label"], LABELS)
        self.fail("length")
        self.assertEqual(self.answer("x")[0]["choices"][0]["finish_reason"], "length")
        self.fail("refusal")
        refusal = json.loads(self.call(request_of("x"))[1])["choices"][0]["message"]
        self.assertTrue(refusal["refusal"])
        self.fail("slow")
        self.assertEqual(self.call(request_of("x"))[0], 200)
        self.assertEqual([row[1] for row in self.rows()],
                         ["throttle", "throttle", "", "error", "lost", "cut", "garbage", "outside",
                          "length", "refusal", "slow"])
        self.assertEqual(self.call({"kind": "flood", "count": 1}, "/faults")[0], 400)


if __name__ == "__main__":
    unittest.main()
