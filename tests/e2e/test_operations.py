# SPDX-License-Identifier: Apache-2.0
"""What surrounds a server: a terminal that hangs up, a log that nobody reads, a port that is taken,
folders that backups may go to."""

import base64
import fcntl
import json
import os
import signal
import socket
import subprocess
import unittest

from harness import BINARY, Scene, Server, aios, clean_environment, wait_for

PIPE_BYTES = 4096
ASKING = """
document: {dsl: '1.0.3', namespace: watched, name: ask, version: '1.0.0'}
do:
  - ask:
      call: review:1.0.0@default
      with: {title: 'Well?', form: f, assignees: [reviewer], evidence: {text: x}, due: PT1S}
"""
POLICY = """package aios.review_assign
import rego.v1
default allow := true
"""


class Terminal(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.scene.server = Server(self.scene.folder)

    def start(self, prefix):
        server = self.scene.server
        server.launch([*prefix, BINARY, "serve", "--data", server.data, "--listen", "127.0.0.1:0",
                       "--ready-file", server.ready_path])
        server.wait_ready()
        return server

    def test_without_a_terminal_a_hang_up_ends_nothing(self):
        server = self.start(())  # in a session of its own
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "signal 1: there is no certificate to look at" in server.log(), "it is told")
        self.assertEqual(server.api().call("GET", "/readyz"), (200, "ready\n"))
        self.assertNotIn("draining", server.log())
        self.assertEqual(server.stop(), 0)

    def test_who_was_told_to_ignore_a_hang_up_does(self):
        server = self.start(("/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh"))
        server.process.send_signal(signal.SIGHUP)
        with open(f"/proc/{server.pid}/status", encoding="ascii") as file:
            masks = dict(line.split(":\t") for line in file if line.startswith("Sig"))
        hang_up = 1 << (signal.SIGHUP - 1)
        self.assertTrue(int(masks["SigIgn"], 16) & hang_up)
        self.assertFalse(int(masks["SigBlk"], 16) & hang_up)  # so it is not kept for sigwait
        self.assertEqual(server.api().call("GET", "/readyz"), (200, "ready\n"))
        self.assertEqual(server.stop(), 0)


class Unread(unittest.TestCase):
    """Whoever should read stderr has stopped, and the pipe is full."""

    def test_a_log_that_nobody_reads_stops_nothing(self):
        scene = Scene()
        self.addCleanup(scene.close)
        server = scene.server = Server(scene.folder)
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        os.write(writing, b"x" * PIPE_BYTES)
        with open(server.log_path, "wb"):
            pass
        server.process = subprocess.Popen(
            [BINARY, "serve", "--data", server.data, "--listen", "127.0.0.1:0", "--ready-file",
             server.ready_path, "--log-level", "debug"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writing,
            start_new_session=True, env=clean_environment())
        os.close(writing)
        server.wait_ready()
        api = server.api()
        for number in range(20):
            api.want("POST", "/api/v1/keys", {"name": f"k{number}", "roles": ["auditor"]})
        self.assertIn("aios_log_lines_dropped 0",
                      api.exchange("GET", "/metrics")[2].decode())  # they wait, and are not lost
        self.assertEqual(server.stop(30), 0)


class Address(unittest.TestCase):
    def test_a_port_that_is_taken_names_the_option_and_leaves_no_directory(self):
        scene = Scene()
        self.addCleanup(scene.close)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            done = aios("serve", "--data", scene.path("new"), "--listen", address)
        self.assertEqual(done.returncode, 1)
        self.assertIn("AIOS-0310", done.stderr)
        self.assertIn(f"--listen {address}", done.stderr)
        self.assertFalse(os.path.exists(scene.path("new")))


class Backups(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)

    def ask(self, directory):
        return self.scene.api("operator").call("POST", "/api/v1/operate/backup",
                                               {"directory": directory})

    def test_a_directory_that_is_there_keeps_its_mode_and_others_may_not_write_to_it(self):
        self.scene.with_server()
        for mode, status in ((0o1777, 400), (0o770, 400), (0o755, 201), (0o700, 201)):
            with self.subTest(mode=oct(mode)):
                path = self.scene.path(f"mode-{mode:o}")
                os.mkdir(path)
                os.chmod(path, mode)
                answered, problem = self.ask(path)
                self.assertEqual(answered, status, problem)
                self.assertEqual(os.stat(path).st_mode & 0o7777, mode)
                self.assertEqual(os.listdir(path), [] if status == 400 else ["backup.archive"])
                if status == 400:
                    self.assertEqual(problem["page"], "AIOS-1303")
                    self.assertIn("others than the server", problem["detail"])

    def test_backups_stay_in_the_folder_that_the_operator_named(self):
        root = self.scene.path("backups")
        os.mkdir(root)
        os.symlink(self.scene.folder, os.path.join(root, "out"))
        self.scene.with_server("--backups", root)
        for directory in (self.scene.path("elsewhere"), root, os.path.join(root, "out", "b"),
                          root + "-too"):
            with self.subTest(directory=directory):
                status, problem = self.ask(directory)
                self.assertEqual((status, problem["page"]), (400, "AIOS-1303"), problem)
                self.assertIn("where the server writes backups", problem["detail"])
        status, made = self.ask(os.path.join(root, "monday"))
        self.assertEqual(status, 201, made)
        self.assertEqual(os.listdir(os.path.join(root, "monday")), ["backup.archive"])
        self.assertEqual(sorted(os.listdir(root)), ["monday", "out"])


class Watched(unittest.TestCase):
    def test_what_waits_is_in_the_metrics(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.with_server()
        text = scene.api().exchange("GET", "/metrics")[2].decode()
        for name in ("aios_runs_waiting", "aios_incidents_open", "aios_reviews_open",
                     "aios_reviews_overdue"):
            self.assertIn(f"\n{name} 0", text)

        def unsigned():
            text = scene.api().exchange("GET", "/metrics")[2].decode()
            return float(text.split("\naios_audit_leaves_unsigned ")[1].split("\n")[0])
        scene.api().want("POST", "/api/v1/keys", {"name": "x", "roles": ["auditor"]})
        wait_for(lambda: unsigned() == 0, "every leaf is signed")

    def test_a_review_that_nobody_answered_in_time_is_marked_and_counted(self):
        scene = Scene()
        self.addCleanup(scene.close)
        scene.with_server()
        files = {"aios.yaml": "name: app\nversion: 1.0.0\n", "workflows/a.yaml": ASKING,
                 "forms/f.json": '{"type": "object"}', "policies/p.rego": POLICY}
        scene.api().want("POST", "/api/v1/deployments", {"files": {
            path: base64.b64encode(text.encode()).decode() for path, text in files.items()}})
        run = scene.api().want("POST", "/api/v1/runs", {"workflow": "ask"})["id"]
        scene.api().run_when(run, ("review",))
        wait_for(lambda: "\naios_reviews_overdue 1" in
                 scene.api().exchange("GET", "/metrics")[2].decode(), "the review is overdue")
        listed = scene.cli("review", "list").stdout
        self.assertRegex(listed, r"rev_\w+ +overdue ")
        review = json.loads(scene.cli("--json", "review", "list").stdout)["items"][0]
        self.assertEqual((review["status"], review["overdue"]), ("open", True))
        scene.api("reviewer").want("POST", f"/api/v1/reviews/{review['id']}/answer",
                                   {"answer": {}})
        wait_for(lambda: "\naios_reviews_overdue 0" in
                 scene.api().exchange("GET", "/metrics")[2].decode(), "no review is overdue")


if __name__ == "__main__":
    unittest.main()
