# SPDX-License-Identifier: Apache-2.0
"""What the process is started in: closed or full output, limits, a terminal that goes away."""

import fcntl
import os
import resource
import signal
import subprocess
import termios
import unittest

from harness import BINARY, Api, Scene, clean_environment, wait_for


class Surroundings(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.ready = self.scene.path("ready")
        self.data = self.scene.path("data")

    def serve(self, **how):
        process = subprocess.Popen([BINARY, "serve", "--data", self.data, "--listen",
                                    "127.0.0.1:0", "--ready-file", self.ready],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   env=clean_environment(None), **how)
        self.addCleanup(self.end, process)
        wait_for(lambda: os.path.exists(self.ready) or process.poll() is not None, "ready", 20, 0.05)
        self.assertIsNone(process.poll(), "the server ended")
        with open(self.ready, encoding="ascii") as file:
            port = int(file.read())
        self.assertEqual(Api(port).call("GET", "/readyz")[0], 200)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait(10)
        if process.stderr:
            process.stderr.close()

    def ends_in_order(self, process, number, status=0):
        process.send_signal(number)
        self.ended(process, status)

    def ended(self, process, status=0):
        self.assertEqual(process.wait(20), status)
        self.assertFalse(os.path.exists(os.path.join(self.data, "server.address")))

    def test_without_stderr(self):
        process = self.serve(preexec_fn=lambda: os.close(2))
        for name in os.listdir(f"/proc/{process.pid}/fd"):
            if int(name) <= 2:
                self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{name}"), "/dev/null")
        self.ends_in_order(process, signal.SIGTERM)

    def test_a_full_stderr(self):
        with open("/dev/full", "wb") as full:
            self.ends_in_order(self.serve(stderr=full), signal.SIGTERM)

    def test_nobody_reads_stderr_any_more(self):
        process = self.serve(stderr=subprocess.PIPE)
        process.stderr.close()
        self.ends_in_order(process, signal.SIGTERM)

    def test_the_terminal_goes_away(self):
        ours, theirs = os.openpty()
        self.addCleanup(os.close, theirs)

        def take_terminal():
            os.setsid()
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        process = self.serve(stderr=subprocess.DEVNULL, preexec_fn=take_terminal)
        os.close(ours)  # the kernel hangs up
        self.ended(process, 128 + signal.SIGHUP)

    def test_no_terminal_no_hang_up(self):
        process = self.serve(stderr=subprocess.DEVNULL, start_new_session=True)
        process.send_signal(signal.SIGHUP)
        self.ends_in_order(process, signal.SIGTERM)

    def test_a_limit_on_the_size_of_files_is_an_error_and_no_death(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (32 << 10, 32 << 10))
        done = subprocess.run([BINARY, "serve", "--data", self.data, "--listen", "127.0.0.1:0"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
                              check=False, env=clean_environment(None), preexec_fn=limit)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("[AIOS-", done.stderr)


if __name__ == "__main__":
    unittest.main()
