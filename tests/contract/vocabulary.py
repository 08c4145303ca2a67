"""What the product's source says of the OpenAPI: actions that it calls, fields that it reads."""

import pathlib
import re
import typing

from darabonba.model import DaraModel

import models

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "steps" / "src" / "aliyun"
PRODUCTS = {"cbn": "Cbn", "vpc": "Vpc", "ecs": "Ecs", "nlb": "Nlb", "privatelink": "PrivateLink",
            "elasticsearch": "Elasticsearch", "sts": "Sts"}
CALL = re.compile(r'\.(?:read|write|write_only|list|roa_read|roa_write|pages)\(\s*"(\w+)"')
READ = re.compile(r'\.(?:need|given|text|number|signed|truth|flag|texts|rows|tags)\(\s*"([\w.]+)"')
# Fields that the official models have and no answer of the sandbox's worlds holds: public access
# is off, Kibanas have no names of the cloud's, zones come in the newer of two shapes, and a next hop comes without what lies behind it.
UNSEEN = {("Elasticsearch", "publicDomain"), ("Elasticsearch", "publicPort"),
          ("Elasticsearch", "kibanaPrivateDomain"), ("Elasticsearch", "kibanaPrivatePort"),
          ("Cbn", "MasterZones"), ("Cbn", "SlaveZones"),
          ("Vpc", "NextHopRelatedInfo"), ("Vpc", "InstanceId")}


def sources():
    """Each product with the text of its files, tests left out."""
    for path in sorted(SOURCE.rglob("*.rs")):
        name = path.relative_to(SOURCE).parts[0].removesuffix(".rs")
        if name in PRODUCTS:
            yield PRODUCTS[name], path.read_text().split("#[cfg(test)]")[0]


def calls():
    """Every action that the source names, by product; and those that no client knows."""
    named, unknown = set(), set()
    for product, text in sources():
        known = models.actions(product)
        literals = set(re.findall(r'"([A-Z]\w+)"', text))
        named |= {(product, name) for name in literals if name in known}
        unknown |= {(product, name) for name in CALL.findall(text) if name not in known}
    return named, unknown


def reads():
    """Every name of an answer's field that the source reads, by product."""
    found = {}
    for product, text in sources():
        names = found.setdefault(product, set())
        for path in READ.findall(text):
            names.update(path.split("."))
    return found


def answered(product, actions):
    """Every name of a field that the models of these actions' answers have, at any depth."""
    found = set()
    for action in actions:
        answer = models.actions(product)[action].answer.removesuffix("Response")
        kinds = [models.model(product, answer + "ResponseBody")]
        while kinds:
            for name, (_, hint) in models.wire_fields(kinds.pop()).items():
                found.add(name)
                kinds += [h for h in (hint, *typing.get_args(hint))
                          if isinstance(h, type) and issubclass(h, DaraModel)]
    return found
