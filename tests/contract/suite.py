"""Everything that the official clients of the OpenAPI drive; started by run.py."""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import clusters
import hosts
import models
import pretend
import selfcheck
import vocabulary
from clusters import Catalog
from drivers import OldCore, Typed
from edges import Edges
from findings import Findings
from others import Others
from outgoing import Comparison
from private import Job
from product import Product
from recorder import Recorder
from topology import LEADER_INSTANCE

HERE = pathlib.Path(__file__).resolve().parent
DEFAULT = HERE.parent / "sandbox" / "src" / "default_world.toml"
EIGHT = HERE.parent / "sandbox" / "worlds" / "version-8.toml"

# An account that has not activated the services, and a spec that activates them.
CLOSED = """
[account]
transit_router_service = false
private_link_service = false
"""
SPEC = """
link = "closed"
[leader]
region = "cn-shanghai"
instance = "es-cn-leader000001"
[follower]
region = "cn-hangzhou"
instance = "es-cn-follower0001"
[replication]
patterns = ["logs-*"]
[prerequisites]
activate_services = true
"""


def cycle(findings, sandbox, job, client, major):
    """The replication cycle by the official client of a major version, in a process of its own."""
    asked = {
        "leader": sandbox.addresses["leader"], "follower": sandbox.addresses["follower"],
        "user": sandbox.addresses["elastic_user"],
        "password": sandbox.addresses["elastic_password"],
        "openapi": sandbox.openapi, "control_token": sandbox.addresses["control_token"],
        "domain": job.domain, "alias": LEADER_INSTANCE,
    }
    ran = subprocess.run(
        [sys.executable, HERE / "cycle.py"], input=json.dumps(asked), text=True,
        capture_output=True, env={**os.environ, "PYTHONPATH": str(client)}, check=False)
    if ran.returncode != 0:
        findings.say(f"the client of the {major} series broke: {ran.stderr.strip()}")
        return
    said = json.loads(ran.stdout)
    for text in said["wrong"]:
        findings.say(f"client {said['client']}: {text}")
    findings.checked += said["checked"]
    for name, count in said["calls"].items():
        findings.calls[(f"elasticsearch {said['client']}", "cluster", name)] += count


def whole_job(findings, arguments, folder, scheme, world, clients):
    """The whole job by one generation of clients, in a world of its own."""
    text = world.read_text()
    with pretend.Sandbox(arguments.binary, folder, text) as sandbox:
        keys = sandbox.addresses["access_key_id"], sandbox.addresses["access_key_secret"]
        driver = scheme(findings, sandbox.authority, *keys)
        before = sandbox.inventory()
        job = Job(driver, sandbox)
        with findings.section(f"{driver.scheme}: the whole job"):
            job.build()
            Edges(job).all()
            Others(job).all()
            cycle(findings, sandbox, job, *clients)
            job.take_away()
            left = [thing for thing in sandbox.inventory() if thing not in before]
            findings.equal(left, [], "what is left")
    return driver


def own_requests(findings, arguments, catalog):
    """Everything that the product sends, held against what the typed clients send for it."""
    folder = arguments.folder / "own"
    world = DEFAULT.read_text()
    recorded, methods = [], set()
    with findings.section("the product's own run"):
        worlds = (("plain", world, None, 7), ("closed", world + CLOSED, SPEC, 7),
                  ("eight", EIGHT.read_text(), None, 8))
        for name, text, spec, series in worlds:
            with Product(findings, arguments.binary, folder / name, text) as product:
                product.both_ways(spec)
                recorded += product.recorded
                methods |= clusters.compare(findings, catalog, product.at_clusters, series)
    with Recorder() as recorder:
        url = f"http://{recorder.authority}"
        subprocess.run([arguments.every_call, url], check=True, env={"TZ": "UTC"})
        recorded += recorder.recorded
    with Recorder() as recorder:
        comparison = Comparison(findings, Typed(findings, recorder.authority, "key", "secret"),
                                recorder)
        comparison.all(recorded)
    named, unknown = vocabulary.calls()
    findings.check(len({product for product, _ in named}) == len(models.PACKAGES),
                   "the product's calls are not found in its source")
    for product, action in sorted(unknown):
        findings.say(f"{product} {action}: the official client has no such action")
    for product, action in sorted(named - comparison.compared):
        findings.say(f"{product} {action}: the product has it, but it was not compared")
    print(f"compared: {len(comparison.known)} requests of {len(comparison.compared)} actions, "
          f"{len(named - comparison.compared)} of the product's {len(named)} actions not covered")
    print(f"compared: {len(methods)} methods of the clusters' client")


def fields(findings, drivers):
    """Every field that the product reads is one that the models have, and that answers hold."""
    seen = {}
    for driver in drivers:
        for (product, _), names in driver.seen.items():
            seen.setdefault(product, set()).update(names)
    named, _ = vocabulary.calls()
    for product, names in vocabulary.reads().items():
        known = vocabulary.answered(product, [a for p, a in named if p == product])
        for name in sorted(names):
            what = f"{product}: the product reads {name}, but"
            findings.check(name in known, f"{what} the models of the answers have no such field")
            unseen = (product, name) in vocabulary.UNSEEN
            findings.check(unseen or name in seen[product], f"{what} no answer held it")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--every-call", required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--client-7", type=pathlib.Path, required=True)
    parser.add_argument("--client-8", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    findings = Findings()
    catalog = Catalog(arguments.client_7, arguments.client_8)
    selfcheck.run(findings, catalog)
    drivers = [
        whole_job(findings, arguments, arguments.folder / "v3", Typed, DEFAULT,
                  (arguments.client_7, "7")),
        whole_job(findings, arguments, arguments.folder / "v1", OldCore, EIGHT,
                  (arguments.client_8, "8")),
    ]
    fields(findings, drivers)
    hosts.compare(findings)
    own_requests(findings, arguments, catalog)
    for line in findings.summary():
        print(line)
    for text in findings.wrong:
        print(f"DIFFERS: {text}")
    print(f"{findings.checked} checks, {len(findings.wrong)} differences")
    return 1 if findings.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
