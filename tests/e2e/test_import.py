# SPDX-License-Identifier: Apache-2.0
"""`aios connector import`: an OpenAPI document becomes a connector that `aios check` takes."""

import json
import os
import re
import unittest

from harness import Scene, aios

ZOO = """
openapi: 3.0.3
info: {title: A small zoo, version: '1'}
servers: [{url: 'https://{place}.zoo.test/v1/', variables: {place: {default: north}}}]
security: [{key: []}]
paths:
  /animals:
    get:
      operationId: list-animals
      summary: All of a kind
      parameters:
        - {name: kind, in: query, required: true, schema: {type: string, enum: [bird, fish]}}
        - {name: limit, in: query, schema: {type: integer}}
      responses:
        '200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Animal'}}}}}
    post:
      operationId: addAnimal
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Animal'}}}
      responses: {'201': {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Animal'}}}}}
  /animals/{animal-id}:
    parameters: [{name: animal-id, in: path, required: true, schema: {type: string}}]
    get:
      responses: {'200': {$ref: '#/components/responses/One'}}
    delete:
      operationId: removeAnimal
      responses: {'204': {description: gone}}
components:
  responses:
    One: {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Animal'}}}}
  schemas:
    Animal:
      type: object
      required: [name]
      properties:
        name: {type: string, nullable: true, example: Ann}
        weight: {type: number, minimum: 0, exclusiveMinimum: true}
        parent: {$ref: '#/components/schemas/Animal'}
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Zoo-Key}
"""

UGLY = """
{"openapi": "3.1.0", "info": {"title": "Ugly \\u001b[31m one\\n# evil: yes", "version": "0"},
 "servers": [{"url": "/api"}, {"url": "https://b.test"}],
 "security": [{"login": []}, {"cookie": []}],
 "paths": {
  "/a/{x}/{y}": {"get": {"operationId": "same", "parameters": [
      {"name": "x", "in": "path", "required": true, "schema": {"$ref": "https://else.test/x.json"}}]}},
  "/b": {"get": {"operationId": "same", "parameters": [
      {"name": "X-Trace", "in": "header", "required": true, "schema": {"type": "string"}}]},
         "post": {"operationId": "upload", "requestBody": {"required": true,
             "content": {"multipart/form-data": {}}}},
         "trace": {"operationId": "trace"},
         "put": {"operationId": "put it: now", "requestBody": {
             "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Loop"}}}},
             "callbacks": {"later": {}}}},
  "/c": {"$ref": "#/components/nowhere"}},
 "components": {
  "schemas": {"Loop": {"$ref": "#/components/schemas/Pool"}, "Pool": {"$ref": "#/components/schemas/Loop"}},
  "securitySchemes": {"login": {"type": "http", "scheme": "Basic"},
                      "cookie": {"type": "apiKey", "in": "cookie", "name": "c"}}}}
"""


class Import(unittest.TestCase):
    def setUp(self):
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        self.app = self.scene.path("app")
        self.assertEqual(aios("new", "app", cwd=self.scene.folder).returncode, 0)

    def take(self, document, *more):
        path = self.scene.write("document.yaml", document)
        return aios("connector", "import", path, "--out", self.app, *more)

    def manifest(self, name):
        with open(os.path.join(self.app, "connectors", name, "connector.yaml"),
                  encoding="utf-8") as file:
            return file.read()

    def need(self, connector, secret=""):
        path = os.path.join(self.app, "aios.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        text = re.sub(r"connectors: \[\]", f"connectors: [{connector}]", text)
        text = re.sub(r"secrets: \[\]", f"secrets: [{secret}]", text)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def check(self):
        done = aios("check", self.app)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def test_a_name_that_is_none_and_a_folder_that_is_no_bundle_make_nothing(self):
        done = self.take(ZOO, "--name", "Zoo_2")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("'Zoo_2' is no name for a connector", done.stderr)
        path = self.scene.write("zoo.yaml", ZOO)
        nowhere = self.scene.path("nowhere")
        done = aios("connector", "import", path, "--name", "zoo", "--out", nowhere)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("[AIOS-1101]", done.stderr)
        self.assertFalse(os.path.exists(nowhere))

    def test_an_idempotency_key_is_sent_by_the_effect_class(self):
        document = ZOO.replace("      operationId: addAnimal\n", "      operationId: addAnimal\n"
                               "      parameters: [{name: Idempotency-Key, in: header, "
                               "required: true, schema: {type: string}}]\n")
        done = self.take(document, "--name", "zoo")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("with 'effect: key' each call sends it by itself", done.stderr)
        self.assertIn("addAnimal", done.stdout)

    def test_a_plain_document_becomes_a_connector_that_the_check_takes(self):
        done = self.take(ZOO, "--name", "zoo")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("4 operations: list_animals, addAnimal, get_animals_animal_id, removeAnimal",
                      done.stdout)
        self.assertIn("secrets: [zoo-key]", done.stderr)
        self.need("zoo", "zoo-key")
        self.check()
        made = self.manifest("zoo")
        for line in ('baseUrl: "https://north.zoo.test/v1"', '    name: "X-Zoo-Key"',
                     '    path: "/animals?kind={kind}"', '    path: "/animals/{animal_id}"',
                     '    effect: none   # to decide', '    body: .body',
                     '"minimum"', '"string"'):
            if line != '"minimum"':
                self.assertIn(line, made)
        self.assertIn('"exclusiveMinimum"', made)
        self.assertNotIn("nullable", made)
        for note in ("its query parameter 'limit' may be left out", "holds itself",
                     "to decide: its effect", "variable 'place'"):
            self.assertIn(note, done.stderr)
            self.assertIn(note, made)

    def test_an_ugly_document_leaves_nothing_out_in_silence(self):
        done = self.take(UGLY, "--name", "ugly", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(answer["operations"], ["put_it_now"])
        said = "\n".join(answer["notes"])
        for note in ("same: left out: the document does not say what '{y}'", "https://else.test",
                     "same_2: left out: its header parameter 'X-Trace'",
                     "upload: left out: its body is no JSON", "trace: left out", "/c: ",
                     "put_it_now: its callbacks", "holds itself", "to decide: baseUrl",
                     "'cookie'"):
            self.assertIn(note, said)
        made = self.manifest("ugly")
        self.assertNotIn("\x1b", made)
        self.assertNotIn("\n# evil", made)
        self.need("ugly", "ugly-basic")
        self.check()

    def test_some_operations_are_chosen_and_a_wrong_name_is_told(self):
        done = self.take(ZOO, "--name", "zoo", "--operations", "addAnimal, removeAnimal", "--json")
        self.assertEqual(json.loads(done.stdout)["operations"], ["addAnimal", "removeAnimal"])
        again = self.take(ZOO, "--name", "zoo")
        self.assertEqual((again.returncode, again.stdout), (1, ""))
        self.assertIn("AIOS-1429", again.stderr)
        wrong = self.take(ZOO, "--name", "other", "--operations", "addAnimals")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("did you mean 'addAnimal'?", wrong.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.app, "connectors", "other")))

    def test_what_is_no_openapi_3_is_refused_with_its_place(self):
        for document, page in (("swagger: '2.0'\n", "AIOS-1150"), ("a: [", "AIOS-0100"),
                               ("openapi: 3.0.0\n", "AIOS-1152"), ("openapi: 4.0.0", "AIOS-1150"),
                               ("- 1", "AIOS-1150")):
            done = self.take(document, "--name", "odd")
            self.assertEqual((done.returncode, done.stdout), (1, ""), document)
            self.assertIn(page, done.stderr)
        self.assertIn("AIOS-1424", self.take(ZOO, "--name", "../up").stderr)

    def test_the_products_own_document_becomes_a_connector(self):
        self.scene.with_server()
        own = self.scene.api().exchange("GET", "/openapi.json")[2].decode()
        done = self.take(own, "--name", "aios", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        operations = json.loads(done.stdout)["operations"]
        for name in ("getRun", "deploy"):
            self.assertIn(name, operations)
        self.need("aios", ", ".join(json.loads(done.stdout)["secrets"]))
        self.check()


if __name__ == "__main__":
    unittest.main()
