"""The replication cycle by the official `elasticsearch` client, 7 or 8: whichever is on the path.

Reads from stdin where the clusters are, writes to stdout what it found; started by suite.py,
because the two series cannot be in one process.
"""

import collections
import json
import sys
import urllib.request

import elasticsearch
from elasticsearch.helpers import bulk

MAJOR = elasticsearch.__version__[0]
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
# Steps of the world's clock before a course is given up.
PATIENCE = 200


def body(**members):
    """The 8 series takes the members themselves."""
    return {"body": members} if MAJOR == 7 else members


class Cycle:
    """Leader, follower, and what was found."""

    def __init__(self, asked):
        self.asked, self.alias = asked, asked["alias"]
        self.wrong, self.checked = [], 0
        self.calls = collections.Counter()
        self.leader = self.client(asked["leader"])
        self.follower = self.client(asked["follower"])

    def client(self, url):
        keys = (self.asked["user"], self.asked["password"])
        auth = {"http_auth": keys} if MAJOR == 7 else {"basic_auth": keys}
        client = elasticsearch.Elasticsearch([url], **auth)
        # What goes through the transport is what was really asked.
        perform = client.transport.perform_request

        def counted(method, target, *more, **members):
            self.calls[f"{method} {target.split('?')[0]}"] += 1
            return perform(method, target, *more, **members)
        client.transport.perform_request = counted
        return client

    def equal(self, found, wanted, what):
        self.checked += 1
        if found != wanted:
            self.wrong.append(f"{what}: {found!r} instead of {wanted!r}")

    def holds(self, held, what):
        self.equal(bool(held), True, what)

    def refused(self, status, kind, call, *more, **members):
        """The client raises its own exception, with the status and the type of the error."""
        try:
            answer = call(*more, **members)
        except (elasticsearch.TransportError if MAJOR == 7 else elasticsearch.ApiError) as error:
            said = error.error if MAJOR == 7 else error.message
            found = (error.status_code, said)
            self.equal(found, (status, kind), "a refusal")
            return error
        self.wrong.append(f"{call} is not refused, but answers {answer}")
        return None

    def advance(self, seconds):
        """Moves the world's clock."""
        url = f"{self.asked['openapi']}/sandbox/clock"
        headers = {"Authorization": f"Bearer {self.asked['control_token']}",
                   "Content-Type": "application/json"}
        with OPENER.open(urllib.request.Request(url, headers=headers)) as answer:
            now = json.load(answer)["now_ms"]
        data = json.dumps({"to_ms": now + seconds * 1000}).encode()
        OPENER.open(urllib.request.Request(url, data=data, headers=headers, method="POST")).close()

    def until(self, look, done, what):
        seen = None
        for _ in range(PATIENCE):
            seen = look()
            if done(seen):
                return seen
            self.advance(1)
        raise AssertionError(f"{what} does not come to its end: {seen}")

    def all(self):
        for part in (self.prerequisites, self.remote, self.existing, self.new_documents,
                     self.paused, self.auto_follow, self.unfollow, self.take_away):
            try:
                part()
            except Exception as error:  # whatever the client raises is a finding
                self.wrong.append(f"{part.__name__} broke: {type(error).__name__}: {error}")
                return

    def prerequisites(self):
        for client in (self.leader, self.follower):
            said = client.info()
            self.equal(int(said["version"]["number"].split(".")[0]), MAJOR, "the cluster's series")
            self.equal(client.license.get()["license"]["status"], "active", "the license")
            features = client.xpack.info(categories=["features"])["features"]
            self.equal((features["ccr"]["available"], features["ccr"]["enabled"]), (True, True),
                       "replication")
            asked = client.security.has_privileges(
                **body(cluster=["manage", "manage_ccr"],
                       index=[{"names": ["logs-*"], "privileges": ["read", "manage"]}]))
            self.equal(asked["has_all_requested"], True, "privileges")
            self.equal(client.cluster.health()["status"] in ("green", "yellow"), True, "health")
            self.holds(client.nodes.info()["nodes"], "nodes")
        self.holds(self.leader.cat.indices(format="json"), "cat indices")
        held = self.leader.indices.get_settings(index="logs-*", flat_settings=True)
        settings = held["logs-2026-10"]["settings"]
        self.holds("index.number_of_shards" in settings, f"flat settings: {settings}")

    def remote(self):
        address = f"{self.asked['domain']}:9300"
        keys = {"mode": "proxy", "proxy_address": address, "skip_unavailable": True,
                "proxy_socket_connections": 18}
        put = self.follower.cluster.put_settings(
            **body(persistent={"cluster": {"remote": {self.alias: keys}}}))
        self.equal(put["acknowledged"], True, "the setting")
        held = self.follower.cluster.get_settings(flat_settings=True)["persistent"]
        self.equal(held[f"cluster.remote.{self.alias}.proxy_address"], address, "the setting")
        info = self.until(lambda: self.follower.cluster.remote_info()[self.alias],
                          lambda info: info["connected"], "the remote cluster")
        self.equal((info["mode"], info["proxy_address"]), ("proxy", address), "the remote cluster")
        self.holds(info["num_proxy_sockets_connected"] > 0, "sockets")
        found = self.follower.search(index=f"{self.alias}:logs-2026-10", size=0)
        self.equal(found["hits"]["total"]["value"], 120, "documents seen through the remote")

    def existing(self):
        answer = self.follower.ccr.follow(
            index="logs-2026-10", wait_for_active_shards="0",
            **body(remote_cluster=self.alias, leader_index="logs-2026-10"))
        self.equal(answer["follow_index_created"], True, "following")
        # Until the copy of the leader's files is done, no shard answers.
        health = lambda: self.follower.cluster.health(index="logs-2026-10")
        self.until(health, lambda h: h["active_primary_shards"] and not h["initializing_shards"],
                   "the shards' health")
        self.until(self.count, lambda count: count == 120, "the copy")
        info = self.follower.ccr.follow_info(index="logs-2026-10")["follower_indices"][0]
        self.equal((info["status"], info["remote_cluster"]), ("active", self.alias), "following")
        self.equal(self.lag(), 0, "operations behind")
        self.refused(404, "index_not_found_exception", self.follower.ccr.follow, index="other",
                     **body(remote_cluster=self.alias, leader_index="nowhere"))
        self.refused(404, "resource_not_found_exception", self.follower.ccr.follow_stats,
                     index="nowhere")

    def count(self):
        self.follower.indices.refresh(index="logs-2026-10")
        return self.follower.count(index="logs-2026-10")["count"]

    def lag(self):
        """Operations that the follower is behind, over all shards."""
        stats = self.follower.ccr.follow_stats(index="logs-2026-10")["indices"][0]
        self.equal(stats["index"], "logs-2026-10", "the index of the figures")
        for shard in stats["shards"]:
            self.equal(shard.get("fatal_exception"), None, "a fatal exception")
        return sum(shard["leader_global_checkpoint"] - shard["follower_global_checkpoint"]
                   for shard in stats["shards"])

    def new_documents(self):
        rows = [{"_index": "logs-2026-10", "_id": f"new-{n}", "n": n} for n in range(5)]
        self.equal(bulk(self.leader, rows), (5, []), "the bulk helper")
        self.until(self.count, lambda count: count == 125, "the new documents")
        self.leader.update(index="logs-2026-10", id="new-0", **body(doc={"n": 100}))
        self.leader.delete(index="logs-2026-10", id="new-1")
        self.until(self.count, lambda count: count == 124, "the deletion")
        self.until(lambda: self.follower.get(index="logs-2026-10", id="new-0")["_source"]["n"],
                   lambda n: n == 100, "the update")
        both = [client.mget(index="logs-2026-10", **body(ids=["new-0", "new-1"]))["docs"]
                for client in (self.leader, self.follower)]
        keep = ("_id", "found", "_version", "_seq_no")
        kept = [[{key: doc.get(key) for key in keep} for doc in docs] for docs in both]
        self.equal(kept[1], kept[0], "the same documents on both sides")
        self.refused(403, "status_exception", self.follower.index, index="logs-2026-10",
                     id="direct", **body(**{"n": 1}) if MAJOR == 7 else {"document": {"n": 1}})

    def paused(self):
        self.equal(self.follower.ccr.pause_follow(index="logs-2026-10")["acknowledged"], True,
                   "the pause")
        info = self.follower.ccr.follow_info(index="logs-2026-10")["follower_indices"][0]
        self.equal(info["status"], "paused", "following")
        one = {"index": "logs-2026-10", "id": "while-paused"}
        self.leader.index(**one, **body(**{"n": 1}) if MAJOR == 7 else {"document": {"n": 1}})
        self.advance(10)
        self.equal(self.count(), 124, "documents of a paused follower")
        self.follower.ccr.resume_follow(index="logs-2026-10")
        self.until(self.count, lambda count: count == 125, "what was written while paused")

    def auto_follow(self):
        self.follower.ccr.put_auto_follow_pattern(
            name="contract", **body(remote_cluster=self.alias, leader_index_patterns=["new-*"],
                                    follow_index_pattern="{{leader_index}}-copy"))
        found = self.follower.ccr.get_auto_follow_pattern(name="contract")["patterns"]
        self.equal([(p["name"], p["pattern"]["active"]) for p in found], [("contract", True)],
                   "the pattern")
        self.leader.indices.create(
            index="new-1", **body(settings={"number_of_shards": 1}))
        self.until(lambda: bool(self.follower.indices.exists(index="new-1-copy")), bool,
                   "the index that is followed by itself")
        # It follows when the copy of the leader's files is done.
        followers = lambda stats: sorted(i["index"] for i in stats["follow_stats"]["indices"])
        stats = self.until(self.follower.ccr.stats, lambda s: "new-1-copy" in followers(s),
                           "the start of following")
        self.equal(stats["auto_follow_stats"]["number_of_successful_follow_indices"], 1,
                   "indices followed by themselves")
        self.equal(followers(stats), ["logs-2026-10", "new-1-copy"], "followers")
        self.follower.ccr.pause_auto_follow_pattern(name="contract")
        found = self.follower.ccr.get_auto_follow_pattern(name="contract")["patterns"]
        self.equal(found[0]["pattern"]["active"], False, "the paused pattern")
        self.follower.ccr.resume_auto_follow_pattern(name="contract")
        self.follower.ccr.delete_auto_follow_pattern(name="contract")
        self.refused(404, "resource_not_found_exception",
                     self.follower.ccr.get_auto_follow_pattern, name="contract")

    def unfollow(self):
        self.refused(400, "illegal_argument_exception", self.follower.ccr.unfollow,
                     index="logs-2026-10")
        self.follower.ccr.pause_follow(index="logs-2026-10")
        self.follower.indices.close(index="logs-2026-10")
        self.equal(self.follower.ccr.unfollow(index="logs-2026-10")["acknowledged"], True,
                   "unfollowing")
        self.follower.indices.open(index="logs-2026-10")
        self.equal(self.count(), 125, "documents afterwards")
        one = {"index": "logs-2026-10", "id": "direct"}
        wrote = self.follower.index(
            **one, **body(**{"n": 1}) if MAJOR == 7 else {"document": {"n": 1}})
        self.equal(wrote["result"], "created", "an index that follows no more takes documents")

    def take_away(self):
        self.follower.ccr.pause_follow(index="new-1-copy")
        uuid = self.follower.indices.get_settings(index="new-1-copy", flat_settings=True)
        uuid = uuid["new-1-copy"]["settings"]["index.uuid"]
        name = self.follower.info()["cluster_name"]
        forgot = self.leader.ccr.forget_follower(index="new-1", **body(
            follower_cluster=name, follower_index="new-1-copy", follower_index_uuid=uuid,
            leader_remote_cluster=self.alias))
        self.equal(forgot["_shards"]["failed"], 0, "forgetting")
        for client, index in ((self.follower, "new-1-copy"), (self.follower, "logs-2026-10"),
                              (self.leader, "new-1")):
            client.indices.delete(index=index)
        self.follower.cluster.put_settings(**body(persistent={
            "cluster": {"remote": {self.alias: dict.fromkeys(
                ("mode", "proxy_address", "skip_unavailable", "proxy_socket_connections"))}}}))
        self.equal(dict(self.follower.cluster.remote_info()), {}, "remote clusters afterwards")


def main():
    cycle = Cycle(json.load(sys.stdin))
    cycle.all()
    said = {"client": elasticsearch.__versionstr__, "wrong": cycle.wrong,
            "checked": cycle.checked, "calls": cycle.calls}
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
