# SPDX-License-Identifier: Apache-2.0
"""What a user meets first: a new data directory, its key, its one server, its orderly end."""

import contextlib
import os
import re
import socket
import stat
import unittest

from harness import ROOT, Scene, aios, wait_for


def listeners(pid):
    """Local addresses the process listens on, from /proc: [(hex address, port)]."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = []
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                parts = line.split()
                if parts[3] == "0A" and parts[9] in inodes:
                    address, port = parts[1].split(":")
                    found.append((address, int(port, 16)))
    return found


class FirstStart(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.scene.with_server()
        self.server = self.scene.server

    def test_the_data_directory_is_the_owners_alone(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.server.data).st_mode), 0o700)

    def test_no_file_in_it_can_be_read_by_others(self):
        for _ in ("the server is up", "it has ended"):
            seen = set()
            for folder, _, names in os.walk(self.server.data):
                for path, mode in ((folder, 0o700), *((os.path.join(folder, name), 0o600) for name in names)):
                    with contextlib.suppress(FileNotFoundError):  # what the log leaves behind goes under way
                        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), mode, path)
                seen.update(names)
            self.assertLessEqual({"first-key", "root.key", "audit-signing.key", "keystore.db", "journal.db", "tables.db"}, seen)
            self.scene.server.stop()

    def test_what_is_in_it_stands_in_the_architecture(self):
        with open(os.path.join(ROOT, "docs", "ARCHITECTURE.md"), encoding="utf-8") as file:
            table = file.read().partition("## The data directory")[2].partition("\n## ")[0]
        named = set(re.findall(r"`([\w.-]+)[/`]", table))
        self.assertIn("server.address", os.listdir(self.server.data))
        for name in os.listdir(self.server.data):
            self.assertIn(re.sub(r"(-wal|-shm|\.tmp)$", "", name), named)

    def test_the_first_key_is_private_named_and_works(self):
        path = os.path.join(self.server.data, "first-key")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertIn(path, self.server.log())
        self.assertNotIn(self.server.first_key(), self.server.log())
        self.assertRegex(self.server.first_key(), r"^aios_[A-Za-z0-9_-]{43}$")
        self.assertEqual(self.server.api().call("GET", "/api/v1/runs")[0], 200)

    def test_it_listens_on_the_loopback_only(self):
        self.assertEqual(listeners(self.server.pid), [("0100007F", self.server.port)])

    def test_no_second_first_key_is_made(self):
        before = self.server.first_key()
        self.scene.restart("stop")
        self.assertEqual(self.server.first_key(), before)
        self.assertEqual(len(self.server.api().want("GET", "/api/v1/keys")["items"]), 1)
        self.assertEqual(self.server.log().count("first-key"), 2)  # named at each start while valid

    def test_health_and_readiness(self):
        api = self.server.api("")
        self.assertEqual(api.call("GET", "/healthz")[0], 200)
        self.assertEqual(api.call("GET", "/readyz")[0], 200)


class FirstKeyAfterAFailure(unittest.TestCase):
    """The key is made only once its file is durable: a first start that ends in between leaves a
    directory whose next start makes a key that works."""

    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.path = self.scene.path("data", "first-key")
        os.mkdir(self.scene.path("data"), 0o700)

    def check_the_next_start(self):
        self.scene.with_server()
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        keys = self.scene.server.api().want("GET", "/api/v1/keys")["items"]
        self.assertEqual([key["name"] for key in keys], ["first key"])
        names = os.listdir(self.scene.server.data)
        self.assertEqual([name for name in names if name.startswith("first-key")], ["first-key"])

    def test_a_file_that_cannot_be_written_leaves_no_key_that_nobody_knows(self):
        os.makedirs(os.path.join(self.path, "in the way"))
        failed = aios("serve", "--data", self.scene.path("data"), "--listen", "127.0.0.1:0")
        self.assertEqual(failed.returncode, 1)
        self.assertIn("[AIOS-1403]", failed.stderr)
        os.rmdir(os.path.join(self.path, "in the way"))
        os.rmdir(self.path)
        self.check_the_next_start()

    def test_a_file_whose_key_was_never_made_is_replaced(self):
        for name in ("first-key", "first-key.tmp"):
            with open(self.scene.path("data", name), "w", encoding="ascii") as file:
                file.write("aios_" + "A" * 43 + "\n")
            os.chmod(self.scene.path("data", name), 0o644)
        self.check_the_next_start()

    def test_a_file_that_was_opened_to_others_is_closed_again_and_told_of(self):
        self.check_the_next_start()
        self.scene.server.stop()
        os.chmod(self.path, 0o664)
        self.scene.server.start()
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        self.assertIn("had mode 0664, now 0600", self.scene.server.log())

    def test_keys_that_are_open_to_others_stop_the_start(self):
        self.check_the_next_start()
        self.scene.server.stop()
        for name, page in (("root.key", "0425"), ("keystore.db", "0425"), ("audit-signing.key", "0520")):
            path = self.scene.path("data", name)
            os.chmod(path, 0o666)
            failed = aios("serve", "--data", self.scene.path("data"), "--listen", "127.0.0.1:0")
            self.assertEqual(failed.returncode, 1)
            self.assertIn(f"[AIOS-{page}]", failed.stderr)
            self.assertIn(name, failed.stderr)
            os.chmod(path, 0o600)


class OneServer(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.scene.with_server()

    def test_a_second_server_on_the_directory_is_refused_and_told_who_holds_it(self):
        second = aios("serve", "--data", self.scene.server.data, "--listen", "127.0.0.1:0")
        self.assertEqual(second.returncode, 1)
        self.assertIn(str(self.scene.server.pid), second.stderr)
        self.assertRegex(second.stderr, r"\[AIOS-\d{4}\]")
        self.assertEqual(self.scene.server.api("").call("GET", "/healthz")[0], 200)

    def test_removing_the_lock_file_lets_no_second_server_in(self):
        os.remove(self.scene.path("data", "lock"))
        second = aios("serve", "--data", self.scene.server.data, "--listen", "127.0.0.1:0")
        self.assertEqual(second.returncode, 1)
        self.assertIn("[AIOS-0409]", second.stderr)
        self.assertTrue(self.scene.server.alive())

    def test_after_a_kill_the_directory_is_free_again(self):
        self.scene.restart("kill")
        self.assertEqual(self.scene.server.api("").call("GET", "/readyz")[0], 200)

    def test_a_port_that_is_taken_is_an_error_with_a_page(self):
        other = self.scene.path("other")
        done = aios("serve", "--data", other, "--listen",
                    f"127.0.0.1:{self.scene.server.port}")
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(self.scene.server.port), done.stderr)
        self.assertRegex(done.stderr, r"\[AIOS-\d{4}\]")


class OrderlyEnd(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.scene.with_server()

    def test_sigterm_ends_with_0_and_takes_the_address_away(self):
        address = os.path.join(self.scene.server.data, "server.address")
        self.assertTrue(os.path.exists(address))
        self.assertEqual(self.scene.server.stop(), 0)
        self.assertFalse(os.path.exists(address))

    def test_sigterm_lets_a_request_under_way_end(self):
        with socket.create_connection(("127.0.0.1", self.scene.server.port), timeout=20) as open_one:
            head = (f"POST /api/v1/policy/check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                    f"{self.scene.server.first_key()}\r\nContent-Type: application/json\r\n"
                    "Content-Length: 16\r\nExpect: 100-continue\r\n\r\n")
            open_one.sendall(head.encode())
            self.assertIn(b"100 Continue", open_one.recv(65536))  # it has the head
            open_one.sendall(b'{"path": ')
            self.scene.server.process.terminate()
            wait_for(lambda: "draining" in self.scene.server.log(), "the server drains")
            open_one.sendall(b'"a/b"} ')
            answer = open_one.recv(65536)
        self.assertRegex(answer.decode(), r"^HTTP/1\.1 [245]\d\d ")
        self.assertEqual(self.scene.server.process.wait(20), 0)

    def test_the_log_is_one_json_object_a_line_or_a_line_for_people(self):
        self.scene.server.stop()
        for line in self.scene.server.log().splitlines():
            self.assertTrue(line.startswith(("{", "aios: ")), line)


class Version(unittest.TestCase):
    def test_it_says_its_version_both_ways(self):
        first, second = aios("version"), aios("--version")
        self.assertEqual((first.returncode, second.returncode), (0, 0))
        self.assertTrue(re.match(r"aios \d+\.\d+\.\d+", first.stdout))
        self.assertEqual(first.stdout, second.stdout)


if __name__ == "__main__":
    unittest.main()
