# SPDX-License-Identifier: Apache-2.0
"""The listener over TLS with real clients: curl, Python's ssl and the command line."""

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest
import warnings

from harness import BINARY, Server, aios, clean_environment, wait_for


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


class Certificates:
    """An authority of a company, and certificates of it, as files."""

    def __init__(self, folder):
        self.folder = folder
        self.ca, self.ca_key = self.path("ca.pem"), self.path("ca.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", self.ca_key, "-out", self.ca, "-days", "2", "-subj", "/CN=Test authority")

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, stem, names="DNS:localhost,IP:127.0.0.1"):
        """-> (certificate, key)"""
        cert, key, request = self.path(stem + ".pem"), self.path(stem + ".key"), self.path("csr")
        extensions = self.path("extensions")
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={names}\n")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                key, "-out", request, "-subj", "/CN=aios")
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.ca_key,
                "-CAcreateserial", "-out", cert, "-days", "2", "-extfile", extensions)
        return cert, key


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="aios-e2e-tls-")
        cls.certificates = Certificates(cls.folder)
        cls.cert, cls.key = cls.certificates.make("server")
        cls.server = Server(cls.folder)
        cls.server.start("--tls-cert", cls.cert, "--tls-key", cls.key)

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def context(self):
        return ssl.create_default_context(cafile=self.certificates.ca)

    def get(self, path, context=None):
        connection = http.client.HTTPSConnection("localhost", self.server.port, timeout=20,
                                                 context=context or self.context())
        try:
            connection.request("GET", path, headers={
                "Authorization": "Bearer " + self.server.first_key()})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def curl(self, *arguments, url=None):
        return subprocess.run(["curl", "-sS", "--max-time", "20", *arguments,
                               url or f"https://localhost:{self.server.port}/healthz"],
                              capture_output=True, text=True, check=False)

    def shown(self):
        """The certificate that is shown now (DER)."""
        with socket.create_connection(("127.0.0.1", self.server.port), 20) as raw:
            with self.context().wrap_socket(raw, server_hostname="localhost") as tls:
                return tls.getpeercert(True)

    def test_curl_and_python_are_answered(self):
        done = self.curl("--cacert", self.certificates.ca, "-w", "%{http_version} %{http_code}")
        self.assertEqual((done.returncode, done.stdout), (0, "ok\n1.1 200"), done.stderr)
        self.assertEqual(self.get("/healthz"), (200, b"ok\n"))

    def test_the_end_of_a_connection_is_said(self):
        with socket.create_connection(("127.0.0.1", self.server.port), 20) as raw:
            with self.context().wrap_socket(raw, server_hostname="localhost",
                                            suppress_ragged_eofs=False) as tls:
                tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                text = b""
                while part := tls.recv(4096):  # raises where TLS does not end in order
                    text += part
        self.assertTrue(text.endswith(b"ok\n"), text)

    def test_old_versions_are_refused(self):
        context = self.context()
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.assertEqual(self.get("/healthz", context)[0], 200)
        context = self.context()
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises(ssl.SSLError):
            self.get("/healthz", context)

    def test_a_stranger_is_refused_by_the_client(self):
        self.assertNotEqual(self.curl().returncode, 0)

    def test_a_plain_request_is_told(self):
        done = self.curl("-w", " %{http_code}", url=f"http://localhost:{self.server.port}/healthz")
        self.assertTrue(done.stdout.endswith(" 400"), done.stdout + done.stderr)
        self.assertIn("AIOS-0343", done.stdout)
        status, text = self.get("/metrics")
        self.assertEqual(status, 200)
        self.assertIn(b'aios_tls_handshakes_failed_total{reason="plain_http"}', text)

    def test_the_command_line_finds_its_own_server(self):
        with open(os.path.join(self.server.data, "server.address"), encoding="ascii") as file:
            lines = file.read().split()
        self.assertEqual(lines[0], f"https://127.0.0.1:{self.server.port}")
        done = aios("--data", self.server.data, "--json", "key", "list")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([key["name"] for key in json.loads(done.stdout)["items"]], ["first key"])

    def test_the_command_line_trusts_by_name(self):
        url = f"https://localhost:{self.server.port}"
        key = os.path.join(self.server.data, "first-key")
        done = aios("--server", url, "--key-file", key, "key", "list")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not of an authority that this machine trusts", done.stderr)
        done = aios("--server", url, "--key-file", key, "--tls-ca", self.certificates.ca, "key",
                    "list")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = aios("--server", url, "--key-file", key, "--tls-ca", self.key, "key", "list")
        self.assertEqual(done.returncode, 1)
        self.assertIn("AIOS-0341", done.stderr)

    def test_a_renewed_certificate_is_shown_after_a_hang_up(self):
        before = self.shown()
        cert, key = self.certificates.make("renewed", "DNS:localhost")
        shutil.copy(key, self.key)
        os.replace(cert, self.cert)
        self.server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.shown() != before, "the renewed certificate is shown")
        # Its address is that of no name in it; the command line knows it all the same.
        done = wait_for(lambda: (d := aios("--data", self.server.data, "key", "list")).returncode == 0
                        and d, "the command line knows the renewed one")
        self.assertEqual(done.returncode, 0)
        self.assertTrue(self.server.alive())


class TlsFiles(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="aios-e2e-tls-")
        self.certificates = Certificates(self.folder)
        self.cert, self.key = self.certificates.make("server")

    def tearDown(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def serve(self, *arguments):
        return subprocess.run([BINARY, "serve", "--data", os.path.join(self.folder, "data"),
                               "--listen", "127.0.0.1:0", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False,
                              env=clean_environment())

    def test_what_is_wrong_is_said_before_anything_is_made(self):
        _, other = self.certificates.make("other")
        locked = self.certificates.path("locked.key")
        openssl("pkey", "-in", self.key, "-aes256", "-passout", "pass:secret", "-out", locked)
        for cert, key, page in ((self.cert, other, "AIOS-0342"), (self.key, self.cert, "AIOS-0341"),
                                (self.cert, locked, "AIOS-0341"),
                                (self.cert, self.certificates.path("none"), "AIOS-0340")):
            with self.subTest(key=os.path.basename(key), page=page):
                done = self.serve("--tls-cert", cert, "--tls-key", key)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(f"[{page}]", done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertFalse(os.path.exists(os.path.join(self.folder, "data")))

    def test_one_file_without_the_other_is_refused(self):
        done = self.serve("--tls-cert", self.cert)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--tls-cert: 'tls_cert' is set without 'tls_key', wanted both or none  [AIOS-1461]", done.stderr)


if __name__ == "__main__":
    unittest.main()
