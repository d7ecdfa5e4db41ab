# SPDX-License-Identifier: Apache-2.0
"""Programs the demo starts, and HTTP calls to them. Every child is ended by its own id."""

import http.client
import json
import os
import signal
import subprocess
import threading
import time


class DemoError(Exception):
    """Ends the demo with a text for the person who started it."""


class Unreachable(Exception):
    """No whole answer came: the server is down, restarting or hung up."""


class Child:
    """One program that writes its port into a ready file once it takes requests."""

    def __init__(self, name, arguments, log_path, ready_path, environment=None):
        self.name, self.log_path, self.ready_path = name, log_path, ready_path
        self.port = 0
        if os.path.exists(ready_path):
            os.remove(ready_path)
        with open(log_path, "ab") as log:
            try:
                # Its own session: Ctrl-C reaches only us, and we stop the children in order.
                self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log, start_new_session=True,
                                                env={**os.environ, **(environment or {})})
            except OSError as error:
                raise DemoError(f"cannot start {name} ({arguments[0]}): {error.strerror}") from None

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def wait_ready(self, seconds=20.0):
        deadline = time.monotonic() + seconds
        while not os.path.exists(self.ready_path):
            if not self.alive():
                raise DemoError(f"{self.name} ended with status {self.process.returncode} before it"
                                f" was ready; the last of {self.log_path}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise DemoError(f"{self.name} was not ready after {seconds:.0f} s; the last of "
                                f"{self.log_path}:\n{self.log_tail()}")
            time.sleep(0.02)
        with open(self.ready_path, encoding="ascii") as file:
            self.port = int(file.read().strip().rpartition(":")[2])

    def log_tail(self, lines=12):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return "".join("    " + line for line in file.readlines()[-lines:]) or "    (empty)"

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds=15.0):
        if not self.alive():
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()


class Api:
    """JSON over kept-alive HTTP, one connection a thread."""

    def __init__(self, port, token, seconds=15.0):
        self.port, self.token, self.seconds = port, token, seconds
        self._local = threading.local()

    def with_token(self, token):
        return Api(self.port, token, self.seconds)

    def call(self, method, path, body=None, headers=None):
        """-> (status, parsed body). Raises Unreachable; what was sent may then have arrived."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.seconds)
            self._local.connection = connection
        all_headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            all_headers["Content-Type"] = "application/json"
        all_headers.update(headers or {})
        try:
            connection.request(method, path, body, all_headers)
            answer = connection.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._local.connection = None
            raise Unreachable(str(error)) from None
        try:
            return answer.status, json.loads(raw) if raw else None
        except ValueError:
            return answer.status, raw.decode("utf-8", "replace")

    def want(self, method, path, body=None, patience=30.0):
        """The same, tried until it answers; anything but 2xx ends the demo."""
        deadline = time.monotonic() + patience
        while True:
            try:
                status, answer = self.call(method, path, body)
                if status not in (429, 503):
                    break
            except Unreachable as error:
                status, answer = 0, str(error)
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if not 200 <= status < 300:
            raise DemoError(f"{method} {path} was answered {status}: {problem_text(answer)}")
        return answer

    def pages(self, path):
        """Every item of a list, page by page."""
        joiner, after = "&" if "?" in path else "?", ""
        while True:
            cursor = f"&after={after}" if after else ""
            page = self.want("GET", f"{path}{joiner}limit=200{cursor}")
            yield from page["items"]
            after = page.get("next")
            if not after:
                return


def problem_text(answer):
    if isinstance(answer, dict):
        return answer.get("detail") or answer.get("title") or json.dumps(answer)[:500]
    return str(answer)[:500]
