"""The suite's own checks must be able to fail: each is shown something wrong first."""

import json
import unittest

import clusters
from drivers import Typed, flatten, misfits
from findings import Findings
from outgoing import Comparison, unflatten
from recorder import Recorded, Recorder

CENS = {"RequestId": "r", "TotalCount": 1, "PageNumber": 1, "PageSize": 10,
        "Cens": {"Cen": [{"CenId": "cen-1", "Status": "Active", "Name": "n"}]}}
CREATE_CEN = {"Action": "CreateCen", "Version": "2017-09-12", "RegionId": "cn-shanghai",
              "Name": "n", "Tag": [{"Key": "k", "Value": "v"}], "ClientToken": "t"}


class Answers(unittest.TestCase):
    """What the models say of an answer."""

    def changed(self, change):
        answer = json.loads(json.dumps(CENS))
        change(answer)
        return misfits("Cbn", "DescribeCens", answer)

    def test_a_right_answer_fits(self):
        self.assertEqual(self.changed(lambda a: None), [])

    def test_a_field_that_no_model_has_is_found(self):
        found = self.changed(lambda a: a["Cens"]["Cen"][0].update(Colour="red"))
        self.assertEqual(len(found), 1)
        self.assertIn("Cens.Cen[].Colour", found[0])

    def test_a_list_one_level_too_high_is_found(self):
        with self.assertRaises(AttributeError):
            self.changed(lambda a: a.update(Cens=a["Cens"]["Cen"]))

    def test_a_word_that_is_no_status_is_found(self):
        rows = [{"TransitRouterId": "tr-1", "Status": "Happy"}]
        found = misfits("Cbn", "ListTransitRouters", {"TransitRouters": rows})
        self.assertIn("Status is 'Happy'", found[0])

    def test_another_type_is_found(self):
        for key, value in (("TotalCount", "1"), ("PageSize", True), ("RequestId", 7)):
            self.assertEqual(len(self.changed(lambda a: a.update({key: value}))), 1, key)


class Requests(unittest.TestCase):
    """What the comparison says of a request."""

    def found(self, one):
        findings = Findings()
        with Recorder() as recorder:
            typed = Typed(findings, recorder.authority, "key", "secret")
            Comparison(findings, typed, recorder).all([one])
        return findings.wrong

    def rpc(self, **changes):
        query = "&".join(f"{n}={v}" for n, v in flatten({**CREATE_CEN, **changes}).items() if v)
        return self.found(Recorded("POST", f"/?{query}", [], b""))

    def roa(self, target, body):
        headers = [("x-acs-version", "2017-06-13"), ("content-type", "application/json")]
        return self.found(Recorded("POST", target, headers, json.dumps(body).encode()))

    def test_a_right_request_is_the_same(self):
        self.assertEqual(self.rpc(), [])
        path = "/openapi/instances/es-1/vpc-endpoints?ClientToken=t"
        self.assertEqual(self.roa(path, {"serviceId": "s", "zoneId": "z"}), [])

    def test_a_request_that_is_carried_on_keeps_its_body(self):
        path = "/openapi/instances/es-1/es-request?method=PUT&path=_cluster%2Fsettings"
        self.assertEqual(self.roa(path, {"persistent": {"a": 1}}), [])
        self.assertIn("parameter path is missing", self.roa(path.split("&")[0], {"a": 1})[0])

    def test_wrong_names_and_shapes_are_found(self):
        self.assertIn("no parameter Naem", self.rpc(Naem="n")[0])
        self.assertIn("no parameter key", self.rpc(Tag=[{"key": "k"}])[0])
        self.assertIn("is a list", self.rpc(Tag="k")[0])
        self.assertIn("is sent otherwise", self.rpc(Naem="n")[1])

    def test_a_parameter_in_the_wrong_place_is_found(self):
        path = "/openapi/instances/es-1/vpc-endpoints?clientToken=t"
        self.assertIn("no parameter clientToken", self.roa(path, {"serviceId": "s"})[0])
        path = "/openapi/instances/es-1/vpc-endpoints?serviceId=s"
        self.assertIn("is sent otherwise", self.roa(path, {"zoneId": "z"})[0])
        self.assertIn("no action of", self.roa("/openapi/instances/es-1/endpoints", {})[0])

    def test_wrong_types_and_missing_parameters_are_found(self):
        asked = {"Action": "CreateServerGroup", "Version": "2022-04-30", "ServerGroupName": "n"}
        query = "&".join(f"{n}={v}" for n, v in {**asked, "AnyPortEnabled": "yes"}.items())
        wrong = self.found(Recorded("POST", f"/?{query}", [], b""))
        self.assertTrue(any("AnyPortEnabled is bool" in text for text in wrong), wrong)
        self.assertTrue(any("required parameter VpcId" in text for text in wrong), wrong)

    def test_a_word_that_is_no_valid_value_is_found(self):
        wrong = self.found(Recorded("POST", "/?Action=CreateLoadBalancer&Version=2022-04-30"
                                    "&AddressType=Private", [], b""))
        self.assertTrue(any("AddressType is 'Private'" in text for text in wrong), wrong)

    def test_a_list_that_does_not_begin_with_one_is_found(self):
        with self.assertRaises(ValueError):
            unflatten({"Tag.2.Key": "k"})


class Clusters(unittest.TestCase):
    """What is said of a request to a cluster."""

    catalog = None

    def found(self, method, target, body=b"", series=7):
        findings = Findings()
        clusters.compare(findings, self.catalog, [Recorded(method, target, [], body)], series)
        return "".join(findings.wrong)

    def test_a_right_request_is_known(self):
        target = "/a/_ccr/follow?wait_for_active_shards=0"
        self.assertEqual(self.found("PUT", target, b'{"leader_index": "a"}'), "")

    def test_wrong_names_paths_and_methods_are_found(self):
        self.assertIn("wait_for", self.found("PUT", "/a/_ccr/follow?wait_for=0"))
        self.assertIn("leader", self.found("PUT", "/a/_ccr/follow", b'{"leader": "a"}'))
        self.assertIn("no method", self.found("POST", "/a/_ccr/follow"))
        self.assertIn("no method", self.found("GET", "/_remotes/info"))
        self.assertIn("takes no body", self.found("POST", "/a/_ccr/pause_follow", b'{"a": 1}'))


def run(findings, catalog):
    """Runs these, and says so when one of them does not hold."""
    Clusters.catalog = catalog
    suite = unittest.defaultTestLoader.loadTestsFromModule(__import__("selfcheck"))
    result = unittest.TestResult()
    suite.run(result)
    findings.check(result.testsRun > 0, "the suite does not check itself")
    for test, trace in result.failures + result.errors:
        findings.check(False, f"the suite's own {test}: {trace}")
