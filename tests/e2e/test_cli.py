# SPDX-License-Identifier: Apache-2.0
"""The command line as such: help, wrong arguments, output for programs, a file as workload."""

import csv
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import unittest

from harness import (BINARY, DESK_BUNDLE, ROOT, SURE_CASE, SURE_REFUND, UNSURE, Scene, aios,
                     clean_environment, ticket_event, wait_for)

ROUTER = os.path.join(ROOT, "examples", "intent-router")


def subcommands(help_text):
    """Names under a "Subcommands:" heading of a help text."""
    names, inside = [], False
    for line in help_text.splitlines():
        if re.match(r"^\s*subcommands:?\s*$", line, re.IGNORECASE):
            inside = True
        elif inside:
            found = re.match(r"^  ([a-z][a-z-]*)\b", line)
            if found:
                names.append(found.group(1))
    return names


def verbs():
    """Every path of subcommands, found in the help texts themselves."""
    found, queue = [], [()]
    while queue:
        path = queue.pop()
        text = aios(*path, "--help").stdout
        below = subcommands(text)
        queue += [(*path, name) for name in below]
        if path:
            found.append(path)
    return sorted(found)


class Usage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.verbs = verbs()

    def test_every_verb_is_there(self):
        wanted = ["audit", "audit show", "audit verify", "backup", "check", "connector import",
                  "deliveries", "deliveries list", "deliveries replay", "deliveries show", "deploy",
                  "dev", "errors", "events",
                  "events list", "events send", "events show", "explain", "key", "key create",
                  "key list", "key revoke", "model", "model list", "model predict",
                  "model promote", "model train", "new", "restore", "review", "review answer",
                  "review list", "review show", "run", "runs", "runs cancel", "runs history",
                  "runs list", "runs resolve", "runs show", "serve", "tasks", "tasks cancel",
                  "tasks show", "tasks submit", "tasks wait", "version"]
        self.assertLessEqual(set(wanted), {" ".join(path) for path in self.verbs})

    def test_help_of_every_verb(self):
        for path in self.verbs:
            done = aios(*path, "--help")
            self.assertEqual(done.returncode, 0, path)
            self.assertIn(path[-1], done.stdout, path)
            self.assertEqual(done.stderr, "", path)

    def test_wrong_arguments_of_every_verb_exit_with_2(self):
        for path in self.verbs:
            done = aios(*path, "--no-such-option")
            self.assertEqual(done.returncode, 2, (path, done.stderr))
            self.assertEqual(done.stdout, "", path)
            self.assertRegex(done.stderr, r"\[AIOS-14(67|68|69)\]\n", path)

    def test_missing_arguments_exit_with_2(self):
        for path in (("runs", "show"), ("review", "answer", "rev_1"), ("model", "promote", "a@1"),
                     ("events", "send"), ("audit", "verify", "x"), ("run", "ticket"),
                     ("key", "create", "--name", "x"), ("restore", "x"), (), ("runs",),
                     ("runs", "list", "--status", "odd"), ("runs", "list", "--limit", "0"),
                     ("nonsense",)):
            done = aios(*path)
            self.assertEqual(done.returncode, 2, (path, done.stdout, done.stderr))

    def test_an_unknown_verb_is_named_with_the_nearest(self):
        for path, message in ((("chekc",), "'aios' has no command 'chekc'; did you mean 'check'?"),
                              (("runs", "lst"), "'aios runs' has no command 'lst'; "
                                                "did you mean 'list'?"),
                              (("qqqqqq",), "'aios' has no command 'qqqqqq'  [AIOS-1467]\n"),
                              (("runs",), "'aios runs' wants a command  [AIOS-1467]\n")):
            done = aios(*path)
            self.assertEqual((done.returncode, done.stdout), (2, ""), path)
            self.assertIn(message, done.stderr)
            self.assertIn("Commands: ", done.stderr)

    def test_an_unknown_option_is_named_with_the_nearest(self):
        for path, message in (
                (("serve", "x", "--lsten", "y"), "aios: nothing takes the word 'x'; there is no option "
                 "'--lsten' (did you mean '--listen'?); nothing takes the word 'y'"),
                (("runs", "list", "--jsn"), "there is no option '--jsn' (did you mean '--json'?)"),
                (("runs", "list", "--qqqqqq=1"), "there is no option '--qqqqqq'  [AIOS-1468]\n"),
                (("runs", "show", "--jsn"), "id is required: run_...; there is no option '--jsn' (did you "
                 "mean '--json'?)  [AIOS-1469]\n"),
                (("runs", "list", "--status", "runing"), "found 'runing', wanted running, waiting, completed, "
                 "faulted, cancelled; did you mean 'running'?  [AIOS-1469]\n")):
            done = aios(*path)
            self.assertEqual((done.returncode, done.stdout), (2, ""), path)
            self.assertIn(message, done.stderr)
            self.assertIn("--help' for more", done.stderr)

    def test_the_version_is_json_where_that_is_asked_for(self):
        plain = aios("version").stdout
        self.assertEqual(json.loads(aios("version", "--json").stdout),
                         {"version": plain.removeprefix("aios ").strip()})

    def test_failures_exit_with_1_and_say_what_to_do(self):
        for path in (("check", "/nowhere"), ("runs", "list", "--data", "/nowhere"),
                     ("runs", "list", "--key-file", "/nowhere", "--data", "/nowhere"),
                     ("runs", "list", "--key-file", "/dev/zero", "--data", "/nowhere"),
                     ("serve", "--listen", "nonsense", "--data", "/nowhere"),
                     ("runs", "list", "--server", "http://127.0.0.1:1"),
                     ("runs", "list", "--server", "127.0.0.1:1"), ("errors", "AIOS-9999")):
            done = aios(*path)
            self.assertEqual(done.returncode, 1, (path, done.stderr))
            self.assertTrue(done.stderr.startswith("aios: "), (path, done.stderr))


    def test_an_option_that_is_missing_is_told_what_it_is(self):
        done = aios("audit", "verify", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--key is required: Verifier key", done.stderr)
        self.assertIn("'aios audit show' prints it", done.stderr)

    def test_help_has_80_columns_and_says_what_an_option_takes(self):
        for path in ((), *self.verbs):
            for line in aios(*path, "--help").stdout.splitlines():
                self.assertLessEqual(len(line), 80, (path, line))
        for path, option, said in (
                (("runs", "list"), "--status", "running, waiting, completed, faulted or cancelled"),
                (("runs", "list"), "--limit", "1 to 1000 (default 50)"),
                (("events", "list"), "--status", "accepted, dead_letter or replayed"),
                (("events", "list"), "--limit", "1 to 1000 (default 50)"),
                (("review", "list"), "--status", "open, approval, answered, cancelled, expired; or all"),
                (("review", "list"), "--limit", "1 to 1000 (default 100)"),
                (("serve",), "--log-level", "debug, info, warn or error (default info; or AIOS_LOG_LEVEL)")):
            text = " ".join(aios(*path, "--help").stdout.split())
            self.assertIn(said, text[text.index(option):text.index(option) + 200], (path, option))
        bad = aios("runs", "list", "--limit", "1001")
        self.assertEqual(bad.returncode, 2)
        self.assertIn("1 to 1000", bad.stderr)

    def test_an_error_page_is_printed_and_every_one_listed(self):
        folder = os.path.join(ROOT, "docs", "errors")
        codes = sorted(name[:-3] for name in os.listdir(folder) if name.startswith("AIOS-"))
        self.assertEqual([line.split()[0] for line in aios("errors").stdout.splitlines()[1:]],
                         codes)
        listed = json.loads(aios("--json", "errors").stdout)["items"]
        self.assertEqual([page["code"] for page in listed], codes)
        with open(os.path.join(folder, "AIOS-1401.md"), encoding="utf-8") as file:
            page = file.read()
        for code in ("1401", "AIOS-1401", "aios-1401", "[AIOS-1401]"):
            done = aios("errors", code)
            self.assertEqual((done.returncode, done.stdout), (0, page), code)
        unknown = aios("errors", "1499")
        self.assertEqual((unknown.returncode, unknown.stdout), (1, ""))
        self.assertIn("no error has the code AIOS-1499, the nearest is AIOS-14", unknown.stderr)

    def test_an_error_names_the_verb_for_its_page_on_a_terminal_only(self):
        wrong = ("runs", "list", "--server", "localhost:1")
        plain = aios(*wrong)
        self.assertEqual(plain.stderr.count("\n"), 1, plain.stderr)
        ours, theirs = pty.openpty()
        try:
            done = subprocess.run([BINARY, *wrong], stdout=subprocess.PIPE, stderr=theirs,
                                  check=False, timeout=60, env=clean_environment())
            lines = os.read(ours, 65536).decode().splitlines()
        finally:
            os.close(ours)
            os.close(theirs)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(lines, [plain.stderr.strip(), "Run 'aios errors 1415' for more."])

    def test_the_wrong_part_of_an_address_is_named_before_anything_is_sent(self):
        for address, said in (("localhost:8080", "did you mean 'http://localhost:8080'?"),
                              ("http://h:1/api", "goes on after host and port with '/api'"),
                              ("http://h:99999", "has the port '99999'")):
            done = aios("runs", "list", "--server", address)
            self.assertEqual(done.returncode, 1)
            self.assertIn(said, done.stderr)
            self.assertIn("[AIOS-1415]", done.stderr)
        done = aios("runs", "list", "--server", "http://me:hush@h:1")
        self.assertNotIn("hush", done.stderr)
        for address, said in (("8787", "has no port"), (":1", "has no host"),
                              ("localhost:99999", "has the port '99999'")):
            done = aios("serve", "--listen", address, "--data", "/nowhere")
            self.assertEqual(done.returncode, 1)
            self.assertIn(said, done.stderr)
            self.assertIn("[AIOS-1406]", done.stderr)


class AgainstServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.with_desk().with_server()
        cls.scene.customers, cls.scene.orders = cls.scene.desk.seed_rows()

    def cli(self, *arguments, role=None):
        done = self.scene.cli(*arguments, role=role)
        self.assertEqual(done.returncode, 0, f"{arguments}: {done.stderr}")
        return done.stdout

    def test_the_whole_way_by_command_line(self):
        out = self.cli("deploy", DESK_BUNDLE, "--set", f"helpdesk_url={self.scene.desk.url}")
        self.assertIn("support-desk 1.0.0 deployed as deployment 1", out)
        self.assertIn("runs already", self.cli("deploy", DESK_BUNDLE, "--set",
                                               f"helpdesk_url={self.scene.desk.url}"))
        trained = self.cli("model", "train", "intent", role="developer")
        self.assertIn("intent@1  accuracy 0.9", trained)
        self.assertRegex(trained, r" in \d+\.\d s, dataset ")
        self.assertIn("'aios model promote NAME@VERSION ALIAS'",
                      self.scene.cli("model", "list").stderr)
        refused = self.scene.cli("model", "promote", "intent@1", "intent", role="developer")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("AIOS-0511", refused.stderr)
        self.assertIn("intent now serves intent@1",
                      self.cli("model", "promote", "intent@1", "intent", role="approver"))
        event = self.scene.write("event.json", json.dumps(
            ticket_event(1, SURE_CASE, self.scene.customers[0])))
        sent = json.loads(self.cli("--json", "events", "send", event, role="ingest"))
        self.scene.api().run_when(sent["run"])
        self.assertEqual(json.loads(self.cli("runs", "show", sent["run"], "--json"))["status"], "completed")
        self.assertIn(sent["run"], self.cli("runs", "list", "--status", "completed"))
        self.assertIn("completed", self.cli("explain", sent["run"]))
        self.assertIn("openCase", self.cli("runs", "history", sent["run"]))
        self.assertEqual(json.loads(self.cli("events", "show", sent["id"], "--json"))["status"], "accepted")
        page = self.cli("events", "show", sent["id"])
        self.assertRegex(page, rf"^INBOX +{sent['id']} accepted\nRECEIVED +\S+Z\nRUN +{sent['run']}\nEVENT ")
        self.assertNotIn("salt", page)
        self.assertLessEqual(max(map(len, page.splitlines())), 80)

        made = self.scene.cli("key", "create", "--name", "x", "--role", "auditor")
        self.assertRegex(made.stdout, r"^aios_[\w-]{43}\n$")
        key_id = re.search(r"key_\w+", made.stderr).group()
        self.cli("key", "revoke", key_id)
        self.assertRegex(self.cli("key", "list"), rf"{key_id}.*revoked")

    def test_a_misspelt_parameter_names_the_right_one(self):
        done = self.scene.cli("deploy", DESK_BUNDLE, "--set", "helpdesk_ulr=http://127.0.0.1:1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("helpdesk_url", done.stderr)

    def test_the_key_comes_from_the_environment_a_file_or_the_data_directory(self):
        secret = self.scene.server.first_key()
        path = self.scene.write("admin.key", secret + "\n")
        at = ("--server", self.scene.server.url)
        self.assertEqual(aios("runs", "list", *at, "--key-file", path).returncode, 0)
        self.assertEqual(aios("runs", "list", *at, environment={"AIOS_KEY": secret}).returncode, 0)
        self.assertEqual(aios("runs", "list", "--data", self.scene.server.data).returncode, 0)
        nothing = aios("runs", "list", *at, cwd=self.scene.folder)
        self.assertEqual(nothing.returncode, 1)
        self.assertIn("AIOS-0510", nothing.stderr)

    def test_output_to_a_closed_pipe_is_no_crash(self):
        for verb in (("--help",), ("key", "list"), ("--json", "key", "list")):
            reader, writer = os.pipe()
            os.close(reader)  # gone before the first byte: `| head -0`, at its worst
            with os.fdopen(writer, "wb") as closed:
                done = self.to(closed, *verb)
            self.assertEqual(done.stderr, "", verb)
            self.assertIn(done.returncode, (0, 1), verb)  # no signal, no abort

    def test_output_to_a_full_disk_is_one_error(self):
        for verb in (("--help",), ("--version",), ("version",), ("key", "list"),
                     ("--json", "key", "list")):
            with open("/dev/full", "wb") as full:
                done = self.to(full, *verb)
            self.assertEqual(done.returncode, 1, (verb, done.stderr))
            self.assertEqual(done.stderr.count("\n"), 1, (verb, done.stderr))
            self.assertIn("No space left on device", done.stderr, verb)

    def to(self, output, *arguments):
        return subprocess.run(
            [BINARY, *arguments], stdout=output, stderr=subprocess.PIPE, text=True, check=False,
            timeout=60, env=clean_environment({"AIOS_SERVER": self.scene.server.url,
                                               "AIOS_KEY": self.scene.server.first_key()}))


class Tables(unittest.TestCase):
    """What every list shows on a terminal of 80 and of 200 columns."""

    LISTS = {("runs", "list"): "/api/v1/runs", ("events", "list"): "/api/v1/events",
             ("review", "list"): "/api/v1/reviews", ("key", "list"): "/api/v1/keys",
             ("model", "list"): "/api/v1/models"}

    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.support_desk()
        api = cls.scene.api()
        for i, body in enumerate((SURE_CASE, UNSURE, SURE_REFUND)):
            _, sent = api.send(ticket_event(i + 1, body, cls.scene.customers[i],
                                            cls.scene.orders[i]))
            api.run_when(sent["run"], ("completed", "review"))

    def on_terminal(self, columns, *verb):
        """-> (lines on a terminal so wide, stderr)"""
        ours, theirs = pty.openpty()
        try:
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            done = subprocess.run(
                [BINARY, *verb], stdout=theirs, stderr=subprocess.PIPE, text=True, check=True,
                timeout=60, env=clean_environment({"AIOS_SERVER": self.scene.server.url,
                                                   "AIOS_KEY": self.scene.server.first_key()}))
            return os.read(ours, 65536).decode().splitlines(), done.stderr
        finally:
            os.close(ours)
            os.close(theirs)

    def test_no_line_is_wider_and_no_identifier_is_cut(self):
        for verb, path in self.LISTS.items():
            items = self.scene.api().want("GET", path)["items"]
            for columns in (40, 80, 200):
                lines, stderr = self.on_terminal(columns, *verb)
                self.assertEqual(len(lines), len(items) + 1, (verb, lines))
                for line in lines:
                    self.assertLessEqual(len(line), columns, (verb, line))
                    for word in re.findall(r"\b(?:run|rev|evt|key)_\w+(?:\.\.\.)?", line):
                        self.assertRegex(word, r"^[a-z]{3}_\w{26}$", (verb, columns))
                    self.assertNotRegex(line, r":\d\d\.\d", "a time to the second")
                for item in items:
                    self.assertIn(item.get("id", item.get("alias")), "\n".join(lines))
                if columns == 200:
                    self.assertEqual(stderr, "", verb)

    def test_what_matters_most_is_there_in_80_columns(self):
        review = self.scene.api().want("GET", "/api/v1/reviews")["items"][0]
        self.assertIn("review " + review["id"], "\n".join(self.on_terminal(80, "runs", "list")[0]))
        self.assertIn(review["title"], "\n".join(self.on_terminal(80, "review", "list")[0]))
        lines, stderr = self.on_terminal(80, "events", "list")
        self.assertIn("com.example.support.ticket.created.v1", "\n".join(lines))
        self.assertIn("80 columns are too few for: RECEIVED; --json shows all", stderr)

    def test_with_no_terminal_nothing_is_left_out(self):
        done = self.scene.cli("review", "list")
        self.assertEqual(done.stderr, "")
        self.assertRegex(done.stdout, r"^ID +STATUS +TITLE +CREATED +PRIORITY +DUE +CLAIMED BY +RUN\n")
        self.assertRegex(done.stdout, r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ +run_\w{26}\n")

    def test_what_is_not_there_is_told_with_the_command_that_lists_it(self):
        for kind, verb in (("events", "show"), ("events", "replay"), ("deliveries", "show"),
                           ("deliveries", "replay"), ("tasks", "show"), ("review", "show"), ("key", "revoke")):
            done = self.scene.cli(kind, verb, "x")
            self.assertEqual(done.returncode, 1, done.stderr)
            listed = "runs" if kind == "tasks" else kind
            self.assertIn(f"'x'{' in this tenant' if kind == 'key' else ''}; 'aios {listed} list' shows those "
                          "there are", done.stderr + done.stdout)

    def test_what_a_terminal_would_obey_is_not_sent_to_it(self):
        evil = "\x1b]0;owned\x07\x9b2J\u202egnp"
        api = self.scene.api()
        status, refused = api.call("POST", "/api/v1/keys", {"name": evil, "roles": ["auditor"]})
        self.assertEqual((status, refused["page"]), (400, "AIOS-0512"), refused)
        self.assertNotIn("gnp", self.scene.cli("key", "list").stdout)
        unsafe = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
        status, sent = api.send(ticket_event(77, evil, self.scene.customers[0]))
        self.assertEqual(status, 202, sent)
        page = self.scene.cli("events", "show", sent["id"]).stdout
        self.assertIsNone(unsafe.search(page), page)
        shown = self.scene.cli("events", "show", sent["id"], "--json").stdout
        self.assertIsNone(unsafe.search(shown), shown)
        self.assertEqual(json.loads(shown)["event"]["data"]["body"], evil)


class IntentRouter(unittest.TestCase):
    """The second example: a CSV through a workflow, with counts and accuracy."""

    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.with_server()
        done = cls.scene.cli("deploy", ROUTER, "--set", "floor=0.5")
        assert done.returncode == 0, done.stderr
        done = cls.scene.cli("model", "train", "intent77", role="developer")
        assert done.returncode == 0, done.stderr
        done = cls.scene.cli("model", "promote", "intent77@1", "intent77", role="approver")
        assert done.returncode == 0, done.stderr

    def test_rows_become_runs_and_are_counted(self):
        rows = os.path.join(ROUTER, "datasets", "questions-heldout.csv")
        done = self.scene.cli("--json", "run", "route", "--input", rows, "--label-column", "label")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        with open(rows, newline="", encoding="utf-8") as file:
            count = len(list(csv.DictReader(file)))
        self.assertEqual((report["rows"], report["labelled"]), (count, count))
        self.assertEqual(sum(report["outcomes"].values()), count)
        self.assertEqual(report["statuses"].get("faulted", 0), 0)
        self.assertGreater(report["accuracy"], 0.6)
        text = self.scene.cli("run", "route", "--input", rows, "--label-column", "label").stdout
        self.assertIn(f"{count} rows", text)
        self.assertRegex(text, r"\n  automatic +\d+   accuracy of the answers \d\.\d{4}\n")
        for floor, asked in (("0.99999", True), ("0.5", False)):
            done = self.scene.cli("deploy", ROUTER, "--set", f"floor={floor}")
            self.assertEqual(done.returncode, 0, done.stderr)
            text = self.scene.cli("run", "route", "--input", rows, "--label-column",
                                  "label").stdout
            (self.assertRegex if asked else self.assertNotRegex)(
                text, r"\n  human +\d+   accuracy of the model's unused answers \d\.\d{4}\n")

    def test_ctrl_c_says_how_many_were_sent_and_exits_with_130(self):
        rows = self.scene.write("many.csv", "text\n" + "where is my card\n" * 20000)
        api = self.scene.api()
        before = sum(api.want("GET", "/api/v1/run-counts").values())
        with subprocess.Popen(
                [BINARY, "run", "route", "--input", rows], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, start_new_session=True,
                env=clean_environment({"AIOS_SERVER": self.scene.server.url,
                                       "AIOS_KEY": self.scene.server.first_key()})) as command:
            wait_for(lambda: sum(api.want("GET", "/api/v1/run-counts").values()) > before,
                     "a first row has become a run")
            command.send_signal(signal.SIGINT)
            stdout, stderr = command.communicate(timeout=60)
        self.assertEqual((command.returncode, stdout), (130, ""), stderr)
        said = re.search(r"interrupted after (\d+) of 20000 rows were sent(?: and perhaps (\d+) "
                         r"more)?; their runs go on, see them with 'aios (runs list --workflow "
                         r"\S+)'  \[AIOS-1416\]\n$", stderr)
        self.assertIsNotNone(said, stderr)
        made = sum(api.want("GET", "/api/v1/run-counts").values()) - before
        sent, maybe = int(said.group(1)), int(said.group(2) or 0)
        self.assertTrue(sent <= made <= sent + maybe, (sent, made, maybe))
        self.assertLess(made, 20000)
        listed = self.scene.cli(*said.group(3).split())
        self.assertEqual(listed.returncode, 0)
        self.assertGreater(listed.stdout.count("\n"), 1)

    def test_a_column_or_workflow_that_is_not_there_is_named(self):
        rows = os.path.join(ROUTER, "datasets", "questions-heldout.csv")
        done = self.scene.cli("run", "route", "--input", rows, "--label-column", "lable")
        self.assertEqual(done.returncode, 1)
        self.assertIn("text, label", done.stderr)
        done = self.scene.cli("run", "rout", "--input", rows)
        self.assertIn("did you mean 'route'", done.stderr)

    def test_other_data_can_be_brought_along(self):
        source = self.scene.write("mine.csv", "text,category\n" + "".join(
            f'"{word} please, line {i}",{word}\n' for i in range(12) for word in ("open", "close")))
        target = self.scene.path("mine-prepared.csv")
        prepared = subprocess.run(
            [sys.executable, os.path.join(ROUTER, "tools", "prepare.py"), source, target],
            check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(prepared.returncode, 0, prepared.stderr)
        self.assertIn("24 rows, 2 labels", prepared.stdout)
        heldout = self.scene.write("held.csv", "text,label\n" + "".join(
            f"would you {word} it,{word}\n" for word in ("open", "close")))
        done = self.scene.cli("--json", "model", "train", "intent77", "--dataset", target,
                              "--heldout", heldout, role="developer")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["examples"], 24)

    def test_an_unsure_question_waits_for_a_person_and_its_answer_is_the_outcome(self):
        unknown = "qqq zzz"  # no word the model has ever seen
        rows = self.scene.write("one.csv", f"text\n{unknown}\n")
        report = json.loads(self.scene.cli("--json", "run", "route", "--input", rows).stdout)
        self.assertEqual(report["outcomes"], {"human": 1})
        api = self.scene.api()
        review = next(r for r in (api.want("GET", f"/api/v1/reviews/{one['id']}")
                                  for one in api.pages("/api/v1/reviews?status=open"))
                      if r["evidence"]["text"] == unknown)
        self.scene.api("reviewer").want("POST", f"/api/v1/reviews/{review['id']}/answer",
                                        {"answer": {"intent": "none_of_ours"}})
        run = self.scene.api().run_when(review["run"])
        self.assertEqual((run["output"]["outcome"], run["output"]["intent"]),
                         ("human", "none_of_ours"))


if __name__ == "__main__":
    unittest.main()
