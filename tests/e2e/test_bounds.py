# SPDX-License-Identifier: Apache-2.0
"""Peers that only cost: idle connections up to the limit on open files, bodies without a key."""

import os
import socket
import unittest

from harness import BINARY, Scene, Server, aios, wait_for

FILES = 256


class Bounds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        server = Server(cls.scene.folder)
        cls.scene.server = server
        server.launch(["/bin/sh", "-c", f'ulimit -n {FILES}; exec "$@"', "sh", BINARY, "serve",
                       "--data", server.data, "--listen", "127.0.0.1:0", "--ready-file",
                       server.ready_path])
        server.wait_ready()

    def test_idle_connections_keep_nobody_out_and_damage_nothing(self):
        held = []
        try:
            for _ in range(FILES + 100):
                held.append(socket.create_connection(("127.0.0.1", self.scene.server.port), 10))
            api = self.scene.api()
            self.assertEqual(api.call("GET", "/readyz"), (200, "ready\n"))
            made = api.want("POST", "/api/v1/keys", {"name": "more", "roles": ["auditor"]})
            wait_for(lambda: api.want("GET", "/api/v1/audit")["signed_size"] > 0,
                     "the audit log is folded, with every descriptor that is left")
            self.assertTrue(made["id"].startswith("key_"))
            self.assertEqual(api.call("GET", "/readyz"), (200, "ready\n"))
        finally:
            for connection in held:
                connection.close()
        self.assertNotIn("Too many open files", self.scene.server.log())

    def test_half_requests_of_peers_that_were_answered_once_keep_nobody_out(self):
        held = []
        try:
            for _ in range(FILES + 100):
                connection = socket.create_connection(("127.0.0.1", self.scene.server.port), 10)
                held.append(connection)
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 200 "))
                connection.sendall(b"GET /heal")  # and no more
            api = self.scene.api()
            self.assertEqual(api.call("GET", "/readyz"), (200, "ready\n"))
            listed = aios("runs", "list", "--data", self.scene.server.data)
            self.assertEqual(listed.returncode, 0, listed.stderr)
        finally:
            for connection in held:
                connection.close()

    def test_a_large_body_without_a_key_is_refused_by_its_head(self):
        connection = socket.create_connection(("127.0.0.1", self.scene.server.port), 10)
        with connection:
            connection.sendall(b"POST /api/v1/deployments HTTP/1.1\r\nHost: x\r\n"
                               b"Content-Length: 60000000\r\n\r\n")  # and nothing of the body
            self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 401 "))

    def test_memory_does_not_grow_with_bodies_of_strangers(self):
        def resident():
            with open(f"/proc/{self.scene.server.pid}/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        before = resident()
        head = (b"POST /api/v1/deployments HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer aios_x\r\n"
                b"Content-Length: 60000000\r\n\r\n")
        open_ones = []
        try:
            for _ in range(5):
                connection = socket.create_connection(("127.0.0.1", self.scene.server.port), 10)
                open_ones.append(connection)
                try:
                    connection.sendall(head + b"x" * 20_000_000)
                except OSError:
                    pass  # the server hung up, as it should
            self.assertLess(resident() - before, 50_000_000)
        finally:
            for connection in open_ones:
                connection.close()


if __name__ == "__main__":
    unittest.main()
