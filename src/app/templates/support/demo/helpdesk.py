#!/usr/bin/env python3
"""A help desk to try the bundle with, in memory: python3 demo/helpdesk.py [PORT]

POST /cases {reference, ...} opens a case, GET /cases?reference=... finds it. Any bearer token will do.
"""

import http.server
import json
import sys
import urllib.parse

CASES = []


class HelpDesk(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body):
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        asked = json.loads(self.rfile.read(size)) if 0 < size <= 65536 else {}
        if self.path != "/cases" or not asked.get("reference"):
            self.answer(404 if self.path != "/cases" else 400, {})
            return
        case = {"id": f"CASE-{len(CASES) + 1}", **asked}
        CASES.append(case)
        print(f"{case['id']}: {case.get('intent')}: {case.get('summary')}", flush=True)
        self.answer(201, case)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        wanted = urllib.parse.parse_qs(url.query).get("reference")
        found = [case for case in CASES if not wanted or case["reference"] in wanted]
        self.answer(200 if url.path == "/cases" else 404, {"cases": found})

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8081
    with http.server.HTTPServer(("127.0.0.1", port), HelpDesk) as server:
        print(f"help desk on http://127.0.0.1:{server.server_port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
