# SPDX-License-Identifier: Apache-2.0
"""What a server is told at its start: flags, environment, server.yaml, and what `config` says of them."""

import json
import os
import subprocess
import tempfile
import unittest

from harness import BINARY, clean_environment, wait_for


class Config(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def aios(self, *arguments, **environment):
        return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, cwd=self.folder,
                              env=clean_environment(environment))

    def settings(self, *arguments, **environment):
        done = self.aios("config", "--json", *arguments, **environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {row["name"]: (row["value"], row["origin"]) for row in json.loads(done.stdout)["settings"]}

    def test_each_value_says_where_it_comes_from(self):
        file = self.write("server.yaml", "log_level: warn\nregion: us\n")
        found = self.settings("--config", file, "--log-level", "debug", AIOS_THREADS="3", AIOS_DATA="elsewhere")
        self.assertEqual(found["log_level"], ("debug", "--log-level"))
        self.assertEqual(found["region"], ("us", f"{file}:2:9"))
        self.assertEqual(found["threads"], ("3", "AIOS_THREADS"))
        self.assertEqual(found["data"], ("elsewhere", "AIOS_DATA"))
        self.assertEqual(found["listen"], ("127.0.0.1:8787", "default"))

    def test_the_file_in_the_data_directory_is_taken_without_being_named(self):
        self.write("box/server.yaml", "region: ch\n")
        found = self.settings("--data", "box")
        self.assertEqual(found["region"], ("ch", "box/server.yaml:1:9"))
        self.assertEqual(found["data"], ("box", "--data"))

    def test_explain_names_flag_environment_and_meaning_of_all(self):
        done = self.aios("config", "--explain")
        self.assertEqual(done.returncode, 0, done.stderr)
        for part in ("log_level: info  (from default)", "--log-level", "AIOS_LOG_LEVEL"):
            self.assertIn(part, done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)

    def test_a_server_starts_by_its_file(self):
        self.write("server.yaml", "data: box\nlisten: 127.0.0.1:0\nready_file: port\nthreads: 1\n")
        with open(os.path.join(self.folder, "log"), "w", encoding="utf-8") as log:
            server = subprocess.Popen([BINARY, "serve", "--config", "server.yaml"], cwd=self.folder, stderr=log,
                                      env=clean_environment())
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        wait_for(lambda: os.path.exists(os.path.join(self.folder, "port")), "the server is ready")
        self.assertTrue(os.path.exists(os.path.join(self.folder, "box", "journal.db")))

    def test_what_is_wrong_is_said_before_anything_is_made(self):
        file = self.write("server.yaml", "data: box\nlog_levle: warn\n")
        for command in ("serve", "config"):
            done = self.aios(command, "--config", file)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"{file}:2:1: 'log_levle' is no setting; did you mean 'log_level'?", done.stderr)
            self.assertIn("[AIOS-1460]", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "box")))
        done = self.aios("config", AIOS_THREADS="0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("AIOS_THREADS: 'threads' is '0', wanted a number from 1 to 64  [AIOS-1461]", done.stderr)
        done = self.aios("config", "--threads", "0")
        self.assertEqual(done.returncode, 2)
        self.assertIn("'0' found, wanted a number from 1 to 64", done.stderr)
        self.write("plain", "text")
        for setting, value, found in (("watch_root", "nowhere", "is not there"), ("backups", "nowhere", "is not there"),
                                      ("watch_root", "plain", "is no folder")):
            done = self.aios("serve", "--data", "box", "--config",
                             self.write("folders.yaml", f"{setting}: {os.path.join(self.folder, value)}\n"))
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"folders.yaml:1:{len(setting) + 3}: '{setting}' is ", done.stderr)
            self.assertIn(f"{found}, wanted a folder", done.stderr)
            self.assertIn("[AIOS-1463]", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "box")))
        done = self.aios("serve", "--config", "no-such-file")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no-such-file", done.stderr)


if __name__ == "__main__":
    unittest.main()
