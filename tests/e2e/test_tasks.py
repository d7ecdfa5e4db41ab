# SPDX-License-Identifier: Apache-2.0
"""Tasks and what leaves: the real binary, and receivers that fail in every way."""

import base64
import collections
import hashlib
import hmac
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time
import unittest

from harness import BINARY, Scene, Webhook, aios, clean_environment, wait_for

SECRET = "whsec_" + base64.b64encode(b"a key that only these tests know").decode()

WORKFLOW = """
document: {dsl: '1.0.3', namespace: desk, name: echo, version: '1.0.0'}
do:
  - say:
      set: {said: '${ .text }'}
"""
SLOW = """
document: {dsl: '1.0.3', namespace: desk, name: slow, version: '1.0.0'}
do:
  - rest: {wait: PT30S}
"""
FAULT = """
document: {dsl: '1.0.3', namespace: desk, name: fault, version: '1.0.0'}
do:
  - no:
      raise: {error: {type: https://example.com/no, status: 422, title: No, detail: not today}}
"""
EMIT = """
document: {dsl: '1.0.3', namespace: desk, name: tell, version: '1.0.0'}
do:
  - one: {emit: {event: {with: {source: /shop/, type: order.paid, data: {n: 1}}}}}
  - two: {emit: {event: {with: {source: /shop/, type: order.shipped, data: {n: 2}}}}}
  - three: {emit: {event: {with: {source: /other/, type: order.shipped, data: {n: 3}}}}}
"""
OF_EVENTS = """
document: {dsl: '1.0.3', namespace: desk, name: of-events, version: '1.0.0'}
schedule: {on: {one: {with: {type: desk.asked}}}}
input:
  schema:
    document: {type: array, items: {type: object, required: [data]}}
do:
  - say: {set: {number: '${ .[0].data.number }'}}
"""
POLICY = """package aios.connector_egress
import rego.v1
default allow := false
allow if {
	input.connector.name == "delivery/shop"
	not input.arguments.data.output.said == "forbidden"
}
"""


def bundle(url):
    return {
        "aios.yaml": "name: tasks\nversion: 1.0.0\nneeds: {secrets: [shop-key]}\nparameters:\n"
                     f"  shop_url: {{type: string, default: '{url}'}}\n",
        "workflows/echo.yaml": WORKFLOW, "workflows/slow.yaml": SLOW,
        "workflows/fault.yaml": FAULT, "workflows/tell.yaml": EMIT,
        "workflows/of-events.yaml": OF_EVENTS,
        "policies/egress.rego": POLICY,
        "subscriptions/shop.yaml": """name: shop
region: eu
url: "${params.shop_url}/events"
types: ["order.*"]
source: /shop/
callbacks: "${params.shop_url}/callbacks/"
secret: shop-key
timeout: PT2S
concurrency: 8
retry: {first: PT0.2S, most: PT1S, giveUpAfter: PT20S}
"""}


class Receiver:
    """Keeps what came and was signed well; answers as `behave(path, body, attempt)` says."""

    def __init__(self, behave=None):
        self.behave = behave or (lambda path, body, attempt: 200)
        self.lock = threading.Lock()
        self.got, self.bad, self.attempts = [], [], collections.Counter()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.take(self)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self.server = Listener(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @staticmethod
    def signed(headers, raw):
        """Standard Webhooks by the letter, with what Python has."""
        ident, stamp = headers["webhook-id"], headers["webhook-timestamp"]
        key = base64.b64decode(SECRET[len("whsec_"):])
        wanted = base64.b64encode(hmac.new(key, f"{ident}.{stamp}.".encode() + raw,
                                           hashlib.sha256).digest()).decode()
        fresh = abs(time.time() - int(stamp)) < 300
        if Webhook is not None:
            Webhook(SECRET).verify(raw, {k.lower(): v for k, v in headers.items()})  # raises
        return fresh and any(hmac.compare_digest(part, "v1," + wanted)
                             for part in headers["webhook-signature"].split())

    def take(self, handler):
        raw = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        good = handler.command == "POST" and self.signed(handler.headers, raw)
        with self.lock:
            ident = handler.headers["webhook-id"]
            self.attempts[ident] += 1
            attempt = self.attempts[ident]
            if not good:
                self.bad.append((handler.command, handler.path))
        answer = self.behave(handler.path, json.loads(raw), attempt) if good else 401
        if answer == "hang":
            time.sleep(4)
            answer = 200
        if answer == "slow":
            time.sleep(0.5)
            answer = 200
        if answer == "cut":
            handler.close_connection = True
            return
        if 200 <= answer < 300:
            with self.lock:
                self.got.append((ident, handler.path, json.loads(raw)))
        handler.send_response(answer)
        if 300 <= answer < 400:
            handler.send_header("location", self.url + "/events")
        handler.send_header("content-length", "0")
        handler.end_headers()

    def of_task(self, task):
        with self.lock:
            return [body for _, _, body in self.got if body.get("subject") == task]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class TaskScene(unittest.TestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.scene = Scene()
        for path, text in bundle(self.receiver.url).items():
            self.scene.write(os.path.join("bundle", path), text)
        self.scene.write(os.path.join("data", "secrets", "shop-key"), SECRET + "\n")
        os.chmod(self.scene.path("data"), 0o700)
        os.chmod(self.scene.path("data", "secrets"), 0o700)
        os.chmod(self.scene.path("data", "secrets", "shop-key"), 0o600)
        self.scene.with_server()
        self.deploy()
        self.api = self.scene.server.api()

    def tearDown(self):
        self.scene.close()
        self.receiver.close()

    def deploy(self):
        done = self.cli("deploy", self.scene.path("bundle"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def cli(self, *arguments):
        return aios("--data", self.scene.server.data, *arguments)

    def submit(self, workflow="echo", more=None, headers=None, query=""):
        status, answered, raw = self.api.exchange("POST", "/api/v1/tasks" + query,
                                                  {"workflow": workflow, **(more or {})}, headers)
        return status, answered, json.loads(raw)

    def callback(self, name="x"):
        return {"callback": {"url": f"{self.receiver.url}/callbacks/{name}"}}

    def told(self, task, seconds=30):
        return wait_for(lambda: self.receiver.of_task(task), f"{task} is told of", seconds)[0]

    def deliveries(self, **query):
        text = "&".join(f"{k}={v}" for k, v in query.items())
        return list(self.api.pages("/api/v1/deliveries" + ("?" + text if text else "")))


class Tasks(TaskScene):
    def test_an_outcome_comes_to_who_waits(self):
        status, headers, answer = self.submit(more={"input": {"text": "hi"}}, query="?wait=30s")
        self.assertEqual((status, answer["output"]), (200, {"said": "hi"}), answer)
        self.assertEqual(headers["location"], "/api/v1/tasks/" + answer["id"])
        status, _, problem = self.submit("fault", query="?wait=30")
        self.assertEqual((status, problem["detail"]), (422, "not today"))
        status, headers, answer = self.submit("slow", query="?wait=1s")
        self.assertEqual((status, answer["status"]), (202, "accepted"))
        task = self.api.want("GET", headers["location"])
        self.assertEqual((task["status"], "output" in task), ("waiting", False))

    def test_a_task_is_cancelled_and_told_of(self):
        _, _, answer = self.submit("slow", self.callback())
        task = self.api.want("DELETE", f"/api/v1/tasks/{answer['id']}")
        self.assertEqual(task["status"], "cancelled")
        event = self.told(answer["id"])
        self.assertEqual((event["type"], event["data"]["status"]),
                         ("aios.task.cancelled", "cancelled"))

    def test_a_deadline_ends_it_and_the_callback_says_so(self):
        _, _, answer = self.submit("slow", {"timeout": "PT1S", **self.callback()})
        event = self.told(answer["id"])
        self.assertEqual(event["type"], "aios.task.faulted")
        self.assertIn("timeout", event["data"]["error"]["type"])
        self.assertIn("deadline", event["data"]["error"]["detail"])

    def test_a_key_gives_the_first_answer_again(self):
        key = {"Idempotency-Key": "order-7"}
        first = self.submit(more={"input": {"text": "a"}}, headers=key)
        again = self.submit(more={"input": {"text": "a"}}, headers=key)
        self.assertEqual((first[0], first[2], first[1]["location"]),
                         (again[0], again[2], again[1]["location"]))
        other = self.submit(more={"input": {"text": "b"}}, headers=key)
        self.assertEqual(other[0], 409)
        self.assertEqual(len(list(self.api.pages("/api/v1/runs"))), 1)

    def test_what_is_wrong_is_refused_before_anything_starts(self):
        for more, query, status, page in (
                ({"deadline": "2001-01-01T00:00:00Z"}, "", 400, "AIOS-1320"),
                ({"timeout": "10 minutes"}, "", 400, "AIOS-1320"),
                ({"timeout": "PT1S", "deadline": "2099-01-01T00:00:00Z"}, "", 400, "AIOS-1320"),
                ({"priority": 1}, "", 400, "AIOS-1320"),
                ({"callback": {}}, "", 400, "AIOS-1320"),
                ({}, "?wait=61s", 400, "AIOS-1320"),
                ({"callback": {"url": self.receiver.url + "/events"}}, "", 403, "AIOS-0942"),
                ({"callback": {"url": "http://169.254.169.254/latest"}}, "", 403, "AIOS-0942"),
                ({"callback": {"url": self.receiver.url + "/callbacks/x", "secret": "other"}}, "",
                 403, "AIOS-0942")):
            with self.subTest(more=more, query=query):
                got, _, problem = self.submit(more=more, query=query)
                self.assertEqual(got, status, problem)
                self.assertIn(page, json.dumps(problem))
        self.assertEqual(list(self.api.pages("/api/v1/runs")), [])

    def test_who_stops_waiting_has_the_id(self):
        with subprocess.Popen(
                [BINARY, "tasks", "submit", "slow", "--wait", "60"], text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                env=clean_environment({"AIOS_SERVER": self.scene.server.url,
                                       "AIOS_KEY": self.scene.server.first_key()})) as waiting:
            told = waiting.stderr.readline()
            waiting.send_signal(signal.SIGINT)
            self.assertNotEqual(waiting.wait(30), 0)
        task = re.fullmatch(r"aios: task (run_\w+) was taken and goes on without this command: "
                            r"aios tasks wait \1\n", told)
        self.assertTrue(task, told)
        self.assertEqual(self.cli("tasks", "cancel", task.group(1)).returncode, 0)

    def test_a_workflow_of_events_says_how_its_input_looks(self):
        done = self.cli("tasks", "submit", "of-events", "--input", '{"number": 7}')
        self.assertEqual(done.returncode, 1)
        self.assertIn('wanted [{"data": {...}}], for an event starts it', done.stderr)
        self.assertIn("[AIOS-1011]", done.stderr)
        done = self.cli("tasks", "submit", "of-events", "--input", '[{"data": {"number": 7}}]',
                        "--wait", "30")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_command_line(self):
        done = self.cli("tasks", "submit", "echo", "--input", '{"text": "hi"}', "--wait", "30")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^TASK +run_\w+ completed\nWORKFLOW +\S+/echo version ")
        self.assertIn("OUTPUT     said: hi\n", done.stdout)
        done = self.cli("--json", "tasks", "submit", "echo", "--input", '{"text": "hi"}', "--wait", "30")
        self.assertEqual(json.loads(done.stdout)["output"], {"said": "hi"})
        done = self.cli("--json", "tasks", "submit", "slow")
        task = json.loads(done.stdout)["id"]
        done = self.cli("tasks", "wait", task, "--seconds", "1")
        self.assertEqual(done.returncode, 3)
        self.assertIn("has not ended within 1 s", done.stderr)
        self.assertEqual(self.cli("tasks", "cancel", task).stdout, f"{task} is cancelled\n")
        self.assertRegex(self.cli("tasks", "show", task).stdout, r"^TASK +run_\w+ cancelled\n")
        self.assertEqual(json.loads(self.cli("tasks", "show", task, "--json").stdout)["status"], "cancelled")
        done = self.cli("tasks", "submit", "fault", "--wait", "30")
        self.assertEqual(done.returncode, 1)
        self.assertIn("not today", done.stderr)
        self.assertRegex(done.stdout, r"(?s)^TASK +run_\w+ faulted\n.*ERROR .*not today.*\nNEXT +aios explain run_")


class Leaving(TaskScene):
    def test_events_go_to_who_subscribed(self):
        run = self.api.want("POST", "/api/v1/runs", {"workflow": "tell"})["id"]
        wait_for(lambda: len(self.receiver.got) == 2, "both events are there")
        self.assertEqual([(path, body["type"]) for _, path, body in self.receiver.got],
                         [("/events", "order.paid"), ("/events", "order.shipped")])
        found = wait_for(lambda: (all_ := self.deliveries(status="delivered")) and len(all_) == 2
                         and all_, "both are known to be delivered")
        self.assertEqual([one["run"] for one in found], [run, run])
        # What somebody outside took and no workflow waits for is no dead letter.
        kinds = wait_for(lambda: [event["type"] for event in self.api.pages("/api/v1/events")],
                         "the third came back in")
        self.assertEqual(kinds, ["order.shipped"])  # of /other/, which nobody subscribed to

    def test_policy_has_the_word(self):
        _, _, answer = self.submit(more={"input": {"text": "forbidden"}, **self.callback()})
        dead = wait_for(lambda: self.deliveries(status="dead"), "the callback is refused")
        self.assertEqual(dead[0]["run"], answer["id"])
        self.assertEqual((self.receiver.got, self.receiver.bad), ([], []))

    def test_dead_letters_are_listed_and_replayed(self):
        self.receiver.behave = lambda path, body, attempt: 410
        tasks = [self.submit(more={"input": {"text": "x"}, **self.callback()})[2]["id"]
                 for _ in range(3)]
        wait_for(lambda: len(self.deliveries(status="dead")) == 3, "all are dead")
        self.assertEqual(set(self.receiver.attempts.values()), {1})
        done = self.cli("deliveries", "list", "--status", "dead")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("answered 410", done.stdout)
        first = self.deliveries(status="dead")[0]["id"]
        page = self.cli("deliveries", "show", first).stdout
        self.assertRegex(page, rf"^DELIVERY +{first} dead\nRECEIVER +\S+\n")
        for line in (r"TRIES +1, the last .*answered 410", r"LAST ERROR .*\[AIOS-0946\]", r"DATA +task: run_",
                     rf"NEXT +aios deliveries replay {first}"):
            self.assertRegex(page, r"(?m)^" + line)
        self.assertNotIn("salt", page)
        shown = json.loads(self.cli("deliveries", "show", first, "--json").stdout)
        self.assertIn("AIOS-0946", shown["last_error"])
        self.receiver.behave = lambda path, body, attempt: 200
        done = self.cli("deliveries", "replay", first)
        self.assertEqual((done.returncode, done.stdout), (0, f"{first} is pending again\n"))
        done = self.cli("deliveries", "replay", "--all")
        self.assertEqual(done.stdout, "2 deliveries are pending again\n")
        done = self.cli("deliveries", "replay", "--all", "--receiver", "shpo")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("no delivery to 'shpo' is dead", done.stderr)
        for task in tasks:
            self.told(task)
        done = self.cli("deliveries", "replay", first)
        self.assertEqual(done.returncode, 1)
        self.assertIn("AIOS-0944", done.stderr)
        self.assertEqual(self.cli("deliveries", "replay").returncode, 2)

    def test_a_kill_between_the_end_and_the_callback(self):
        self.receiver.behave = lambda path, body, attempt: "cut"
        tasks = [self.submit(more={"input": {"text": "x"}, **self.callback()}, query="?wait=30s")[2]["id"]
                 for _ in range(20)]
        self.scene.server.kill()
        self.receiver.behave = lambda path, body, attempt: 200
        self.scene.server.start()
        self.api = self.scene.server.api()
        for task in tasks:
            self.assertEqual(self.told(task)["data"]["status"], "completed")
        self.assertEqual(self.receiver.bad, [])

    def test_200_tasks_and_a_faulty_receiver(self):
        words = ("hang", 500, 302, "cut", "slow", 429)

        def behave(path, body, attempt):
            number = int(path.rsplit("/", 1)[1])
            faulty = number % 5 == 0 and attempt == 1
            return words[number // 5 % len(words)] if faulty else 200
        self.receiver.behave = behave
        tasks = {}
        for number in range(200):
            _, _, answer = self.submit(more={"input": {"text": str(number)},
                                             **self.callback(str(number))})
            tasks[answer["id"]] = number
            if number == 120:
                self.scene.server.kill()
                self.scene.server.start()
                self.api = self.scene.server.api()
        wait_for(lambda: all(self.receiver.of_task(task) for task in tasks),
                 "each task was told of", 120)
        for task, number in tasks.items():
            self.assertEqual(self.receiver.of_task(task)[0]["data"]["output"],
                             {"said": str(number)})
        self.assertEqual(self.receiver.bad, [])
        self.assertEqual(self.deliveries(status="dead"), [])
        wait_for(lambda: not self.deliveries(status="pending"), "nothing is pending")

    def test_order_of_a_run_is_kept_with_a_faulty_receiver(self):
        self.receiver.behave = lambda path, body, attempt: (
            500 if body["data"]["n"] == 1 and attempt == 1 else 200)
        runs = [self.api.want("POST", "/api/v1/runs", {"workflow": "tell"})["id"]
                for _ in range(4)]  # too few failures for the breaker
        wait_for(lambda: len(self.receiver.got) >= 8, "all events are there", 90)
        order = collections.defaultdict(list)
        by_delivery = {one["id"]: one["run"] for one in self.deliveries()}
        for ident, _, body in self.receiver.got:
            order[by_delivery[ident]].append(body["data"]["n"])
        self.assertEqual({run: order[run] for run in runs}, {run: [1, 2] for run in runs})


if __name__ == "__main__":
    unittest.main()
