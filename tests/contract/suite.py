"""Everything that the official clients of the OpenAPI drive; started by run.py."""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import pretend
from drivers import OldCore, Typed
from edges import Edges
from findings import Findings
from private import Job
from topology import LEADER_INSTANCE

HERE = pathlib.Path(__file__).resolve().parent
DEFAULT = HERE.parent / "sandbox" / "src" / "default_world.toml"
EIGHT = HERE.parent / "sandbox" / "worlds" / "version-8.toml"


def cycle(findings, sandbox, job, client, major):
    """The replication cycle by the official client of a major version, in a process of its own."""
    asked = {
        "leader": sandbox.addresses["leader"], "follower": sandbox.addresses["follower"],
        "user": sandbox.addresses["elastic_user"],
        "password": sandbox.addresses["elastic_password"],
        "openapi": sandbox.openapi, "domain": job.domain, "alias": LEADER_INSTANCE,
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
            cycle(findings, sandbox, job, *clients)
            job.take_away()
            left = [thing for thing in sandbox.inventory() if thing not in before]
            findings.equal(left, [], "what is left")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--client-7", type=pathlib.Path, required=True)
    parser.add_argument("--client-8", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    findings = Findings()
    whole_job(findings, arguments, arguments.folder / "v3", Typed, DEFAULT,
              (arguments.client_7, "7"))
    whole_job(findings, arguments, arguments.folder / "v1", OldCore, EIGHT,
              (arguments.client_8, "8"))
    for line in findings.summary():
        print(line)
    for text in findings.wrong:
        print(f"DIFFERS: {text}")
    print(f"{findings.checked} checks, {len(findings.wrong)} differences")
    return 1 if findings.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
