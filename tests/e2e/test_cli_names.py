# SPDX-License-Identifier: Apache-2.0
"""What the command line says of names, lists and servers that are not as they were meant."""

import http.server
import json
import os
import signal
import threading
import unittest

from harness import DESK_BUNDLE, Scene, aios, ticket_event, SURE_CASE


class Words(unittest.TestCase):
    def test_an_unknown_verb_is_told_also_where_help_is_asked_for(self):
        for words, said in ((("reviews", "--help"), "did you mean 'review'?"),
                            (("keys", "--help"), "did you mean 'key'?"),
                            (("runs", "lst", "--help"), "'aios runs' has no command 'lst'"),
                            (("help", "reviews"), "did you mean 'review'?")):
            done = aios(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn(said, done.stderr)

    def test_help_is_a_word_too(self):
        self.assertEqual(aios("help").stdout, aios("--help").stdout)
        self.assertEqual(aios("help", "runs", "list").stdout, aios("runs", "list", "--help").stdout)
        self.assertEqual(aios("help").returncode, 0)

    def test_a_folder_that_is_not_there_is_said_to_be_absent(self):
        done = aios("check", "/nowhere")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no folder '/nowhere'", done.stderr)


    def test_a_file_that_is_none_is_not_waited_for(self):
        scene = Scene()
        self.addCleanup(scene.close)
        fifo = scene.path("fifo")
        os.mkfifo(fifo)
        for code, *words in ((1, "events", "send", fifo), (1, "events", "send", scene.folder),
                             (2, "audit", "verify", scene.folder, "--key", "x", "--checkpoint",
                              fifo)):  # nothing was looked at
            done = aios(*words, timeout=30)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn("it is no regular file", done.stderr)


class Foreign(http.server.BaseHTTPRequestHandler):
    """A server that is none of ours, and remembers what it was sent."""
    seen = []

    def do_GET(self):
        Foreign.seen.append((self.path, self.headers.get("authorization")))
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"message": "who are you"}')

    def log_message(self, *_):
        pass


class Names(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.support_desk()

    def fails(self, *arguments, **more):
        done = self.scene.cli(*arguments, **more)
        self.assertEqual(done.returncode, 1, (arguments, done.stdout, done.stderr))
        return done.stderr

    def test_a_model_that_is_not_there_is_named_with_the_nearest(self):
        self.assertIn("did you mean 'intent'", self.fails("model", "list", "intnt"))
        self.assertIn("did you mean 'intent'",
                      self.fails("model", "promote", "intnt@1", "intent", role="approver"))
        self.assertIn("found no version 99 of a model 'intent'",
                      self.fails("model", "promote", "intent@99", "intent", role="approver"))

    def test_a_workflow_goes_by_its_name_or_the_whole_one(self):
        rows = self.scene.write("rows.csv", "ticket,body\nT-00001,Where is my parcel?\n")
        for name in ("ticket", "support/ticket"):
            listed = self.scene.cli("runs", "list", "--workflow", name)
            self.assertEqual(listed.returncode, 0, listed.stderr)
            self.assertIn("support/ticket@", self.scene.cli("run", name, "--input", rows).stdout +
                          self.scene.cli("runs", "list", "--workflow", name).stdout)
        self.assertIn("did you mean 'ticket'", self.fails("runs", "list", "--workflow", "tickt"))
        self.assertIn("support/ticket", self.fails("runs", "list", "--workflow", "support/tickt"))
        self.assertIn("did you mean 'support/ticket'",
                      self.fails("run", "support/tickt", "--input", rows))

    def test_a_list_that_goes_on_says_how(self):
        for number in range(11, 14):
            self.scene.api("ingest").send(ticket_event(number, SURE_CASE,
                                                       self.scene.customers[0]))
        for verb in (("runs", "list"), ("events", "list")):
            first = self.scene.cli(*verb, "--limit", "2")
            self.assertIn("aios: 2 shown, more: --after ", first.stderr)
            after = first.stderr.split()[-1]
            second = self.scene.cli(*verb, "--limit", "1000", "--after", after)
            self.assertNotIn("shown", second.stderr)
            shown = [line.split()[0] for line in first.stdout.splitlines()[1:]]
            rest = [line.split()[0] for line in second.stdout.splitlines()[1:]]
            self.assertEqual((len(shown), set(shown) & set(rest)), (2, set()))
            self.assertGreaterEqual(len(rest), 1)

    def test_a_run_is_cancelled_once(self):
        sent = self.scene.api("ingest").send(ticket_event(21, "Do you know a recipe for a pie?",
                                                          self.scene.customers[0]))[1]
        self.scene.api().run_when(sent["run"], ("waiting", "review"))
        self.assertEqual(self.scene.cli("runs", "cancel", sent["run"]).stdout,
                         f"cancelled {sent['run']}\n")
        self.assertIn("was cancelled before", self.scene.cli("runs", "cancel", sent["run"]).stdout)

    def test_a_dead_letter_is_a_failure_and_its_id_stays_free(self):
        event = ticket_event(31, SURE_CASE, self.scene.customers[0])
        broken = dict(event, data={"ticket": 5})
        path = self.scene.write("event.json", json.dumps(broken))
        self.assertIn("AIOS-1420", self.fails("events", "send", path, role="ingest"))
        path = self.scene.write("event.json", json.dumps(event))
        mended = self.scene.cli("events", "send", path, role="ingest")
        self.assertEqual(mended.returncode, 0, mended.stderr)
        self.assertIn("accepted", mended.stdout)

    def test_a_deployment_keeps_what_was_set_and_names_what_changes(self):
        url = f"helpdesk_url={self.scene.desk.url}"
        done = self.scene.cli("deploy", DESK_BUNDLE, "--set", url, "--set",
                              "refund_limit_cents=9000")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"parameter refund_limit_cents: \d+ -> 9000\n")
        again = self.scene.cli("deploy", DESK_BUNDLE)
        self.assertIn("runs already", again.stdout)
        back = self.scene.cli("deploy", DESK_BUNDLE, "--reset", "refund_limit_cents")
        self.assertRegex(back.stdout, r"parameter refund_limit_cents: 9000 -> \d+\n")
        self.assertNotIn("helpdesk_url", back.stdout)


class Servers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.with_server()

    def test_a_stopped_server_is_told_of(self):
        process = self.scene.server.process
        process.send_signal(signal.SIGSTOP)
        try:
            for where in (("--data", self.scene.server.data),
                          ("--server", self.scene.server.url)):
                done = aios("runs", "list", *where, timeout=60)
                self.assertEqual(done.returncode, 1)
                self.assertIn("does not answer within", done.stderr)
                self.assertIn("AIOS-1419", done.stderr)
        finally:
            process.send_signal(signal.SIGCONT)
        self.assertEqual(aios("runs", "list", "--data", self.scene.server.data).returncode, 0)

    def test_no_key_goes_to_a_server_that_is_none_of_ours(self):
        foreign = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
        thread = threading.Thread(target=foreign.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{foreign.server_port}"
        try:
            for more in ({}, {"environment": {"AIOS_KEY": "aios_secret"}}):
                done = aios("runs", "list", "--data", self.scene.server.data, "--server",
                            url + "/", **more)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"{url} answered 401 but is no aios server", done.stderr)
        finally:
            foreign.shutdown()
            thread.join()
            foreign.server_close()
        self.assertEqual({key for _, key in Foreign.seen}, {None})

    def test_the_first_key_goes_to_the_directorys_own_server_alone(self):
        other = Scene()
        self.addCleanup(other.close)
        other.with_server()
        own = aios("runs", "list", "--data", self.scene.server.data, "--server",
                   self.scene.server.url)
        self.assertEqual(own.returncode, 0, own.stderr)
        refused = aios("runs", "list", "--data", self.scene.server.data, "--server",
                       other.server.url)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("--key-file or AIOS_KEY", refused.stderr)
        self.assertIn("no key was sent", refused.stderr)


if __name__ == "__main__":
    unittest.main()
