# SPDX-License-Identifier: Apache-2.0
"""Deploy, train, promote: who may, and what is refused."""

import unittest

from harness import DESK_BUNDLE, Scene, aios, bundle_files


class Models(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.addClassCleanup(cls.scene.close)
        cls.scene.with_desk().with_server()
        cls.deployed = cls.scene.deploy()
        cls.trained = cls.scene.api("developer").want("POST", "/api/v1/models/intent/train")

    def test_a_deployment_names_its_digest_and_repeats_nothing(self):
        self.assertEqual(self.deployed["name"], "support-desk")
        again = self.scene.deploy()
        self.assertFalse(again["changed"])
        self.assertEqual(again["number"], self.deployed["number"])
        current = self.scene.api().want("GET", "/api/v1/deployments/current")
        self.assertEqual(current["digest"], self.deployed["digest"])

    def test_a_broken_bundle_changes_nothing_and_all_errors_come_at_once(self):
        broken = {"workflows/ticket.yaml": b"document: {dsl: '1.0.3'}\ndo: 3\n",
                  "policies/broken.rego": b"package broken\n\nallow if {\n"}
        status, answer = self.scene.api().call(
            "POST", "/api/v1/deployments",
            {"files": bundle_files(DESK_BUNDLE, broken), "parameters": {}})
        self.assertEqual(status, 400, answer)
        files = {error["file"] for error in answer["errors"]}
        self.assertLessEqual({"workflows/ticket.yaml", "policies/broken.rego"}, files)
        current = self.scene.api().want("GET", "/api/v1/deployments/current")
        self.assertEqual(current["digest"], self.deployed["digest"])

    def test_a_version_says_where_it_comes_from(self):
        version = self.scene.api().want("GET", "/api/v1/models/intent")["versions"][0]
        self.assertEqual(version["version"], 1)
        self.assertEqual(version["owner"], "support-operations@example.com")
        self.assertEqual(len(version["dataset_digest"]), 64)
        self.assertEqual(version["examples"], 1302)
        self.assertEqual(version["heldout"]["examples"], 276)
        self.assertGreaterEqual(version["heldout"]["accuracy"], 0.9)
        self.assertTrue(version["trained_by"].startswith("key_"))

    def test_the_trainer_may_not_promote_and_a_second_key_may(self):
        scene = self.scene
        both = scene.api().want("POST", "/api/v1/keys",
                                {"name": "both", "roles": ["developer", "approver"]})["secret"]
        version = scene.server.api(both).want("POST", "/api/v1/models/intent/train")["version"]
        path = "/api/v1/models/intent/aliases/intent"
        status, answer = scene.server.api(both).call("POST", path, {"version": version})
        self.assertIn(status, (403, 409, 412), answer)
        self.assertIn("train", answer["detail"])
        alias = scene.api("approver").want("POST", path, {"version": version})
        self.assertEqual(alias["version"], version)
        self.assertTrue(alias["set_by"].startswith("key_"))
        aliases = scene.api().want("GET", "/api/v1/models")["items"]
        self.assertEqual([a["alias"] for a in aliases], ["intent"])

    def test_a_developer_may_not_promote_at_all(self):
        status, _ = self.scene.api("developer").call(
            "POST", "/api/v1/models/intent/aliases/other", {"version": 1})
        self.assertEqual(status, 403)

    def test_a_model_below_its_gate_is_not_promoted(self):
        scene = self.scene
        bad = "text,label\n" + "".join(f"word{i % 3},label{i % 2}\n" for i in range(60))
        other = "text,label\n" + "".join(f"also word{i % 3},label{i % 2}\n" for i in range(60))
        made = scene.api("developer").want("POST", "/api/v1/models/intent/train",
                                           {"dataset": bad, "heldout": other})
        self.assertLess(made["heldout"]["accuracy"], 0.9)
        status, answer = scene.api("approver").call(
            "POST", "/api/v1/models/intent/aliases/bad",
            {"version": made["version"], "new_alias": True})
        self.assertEqual(status, 403, answer)
        self.assertIn("gate", answer["detail"])

    def test_an_alias_that_nobody_knows_is_a_slip_unless_it_is_said_to_be_new(self):
        approver = self.scene.api("approver")
        approver.want("POST", "/api/v1/models/intent/aliases/intent", {"version": 1})
        slip = self.scene.cli("model", "promote", "intent@1", "intend", role="approver")
        self.assertEqual((slip.returncode, slip.stdout), (1, ""))
        for said in ("'intend'", "did you mean 'intent'?", "--new-alias", "[AIOS-1133]"):
            self.assertIn(said, slip.stderr)
        aliases = lambda: [a["alias"] for a in self.scene.api().want("GET", "/api/v1/models")["items"]]
        self.assertNotIn("intend", aliases())
        self.scene.cli("model", "promote", "intent@1", "intend", "--new-alias", role="approver")
        self.assertIn("intend", aliases())
        # It is one that is known from then on.
        again = self.scene.cli("model", "promote", "intent@1", "intend", role="approver")
        self.assertEqual(again.returncode, 0, again.stderr)
        named = self.scene.cli("model", "remove-alias", "intent", role="approver")
        self.assertEqual(named.returncode, 1)
        self.assertIn("workflows/ticket.yaml asks the model 'intent'", named.stderr)
        self.assertIn("[AIOS-1134]", named.stderr)
        self.assertEqual(self.scene.cli("model", "remove-alias", "intend", role="developer").returncode, 1)
        status, answer = approver.call("DELETE", "/api/v1/models/other/aliases/intend")
        self.assertEqual((status, answer["page"]), (404, "AIOS-0705"))
        gone = self.scene.cli("model", "remove-alias", "intend", role="approver")
        self.assertEqual((gone.returncode, gone.stdout),
                         (0, "intend serves no more; it served intent@1\n"), gone.stderr)
        self.assertNotIn("intend", aliases())
        again = self.scene.cli("model", "remove-alias", "intend", role="approver")
        self.assertIn("did you mean 'intent'?", again.stderr)
        self.scene.server.kill()
        self.scene.server.start()
        self.assertNotIn("intend", aliases())
        log, key = self.scene.audit_log()
        leaves = aios("audit", "leaves", log, "--key", key, "--stream", "intend", "--json").stdout
        self.assertIn('"removed"', leaves)

    def test_a_version_names_the_labels_that_nothing_measured(self):
        lines = [f"word{i % 2} said,label{i % 2}\n" for i in range(20)]
        made = self.scene.api("developer").want(
            "POST", "/api/v1/models/intent/train",
            {"dataset": "text,label\n" + "".join(lines),
             "heldout": "text,label\nword0 was said,label0\n"})
        self.assertEqual(made["heldout"]["unmeasured"], ["label1"])

    def test_a_version_or_a_model_that_is_not_there(self):
        approver = self.scene.api("approver")
        status, _ = approver.call("POST", "/api/v1/models/intent/aliases/intent", {"version": 99})
        self.assertEqual(status, 404)
        status, answer = self.scene.api("developer").call("POST", "/api/v1/models/intnet/train")
        self.assertEqual(status, 404)
        self.assertIn("intent", answer["detail"])

    def test_a_prediction_says_version_confidence_and_words(self):
        self.scene.api("approver").want("POST", "/api/v1/models/intent/aliases/intent",
                                        {"version": 1})
        said = self.scene.api().want("POST", "/api/v1/models/intent/predict",
                                     {"text": "where is my parcel"})
        self.assertEqual(said["label"], "order_status")
        self.assertEqual(said["version"], "intent@1")
        self.assertTrue(0 < said["confidence"] <= 1)
        self.assertTrue(said["reasons"])
        self.assertEqual(len(said["scores"]), 3)


if __name__ == "__main__":
    unittest.main()
