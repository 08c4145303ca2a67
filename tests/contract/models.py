"""What the official clients know of each action, and whether an answer fits their models."""

import functools
import importlib
import inspect
import pathlib
import re
import typing

from darabonba.model import DaraModel

PACKAGES = {
    "Cbn": "alibabacloud_cbn20170912", "Vpc": "alibabacloud_vpc20160428",
    "Ecs": "alibabacloud_ecs20140526", "Nlb": "alibabacloud_nlb20220430",
    "PrivateLink": "alibabacloud_privatelink20200415",
    "Elasticsearch": "alibabacloud_elasticsearch20170613", "Sts": "alibabacloud_sts20150401",
}

ACTION = re.compile(
    r"    def (?P<method>\w+with_options)\(\n(?P<arguments>.*?)\) -> main_models\.(?P<answer>\w+):"
    r".*?action = '(?P<action>\w+)'.*?version = '(?P<version>[\d-]+)'"
    r".*?pathname = f?'(?P<path>[^\n]*)',\n"
    r".*?method = '(?P<verb>\w+)'",
    re.DOTALL,
)


class Action:
    """One action as a client's source has it."""

    def __init__(self, product, found):
        self.product = product
        self.name = found["action"]
        self.version = found["version"]
        self.method = found["method"]
        self.verb = found["verb"]
        self.path = found["path"]
        arguments = re.findall(r"(\w+): ([\w.\[\], ]+),\n", found["arguments"])
        requests = [kind for name, kind in arguments if name in ("request", "tmp_req")]
        self.request = requests[0].split(".")[-1] if requests else None
        self.takes_headers = any(name == "headers" for name, _ in arguments)
        self.answer = found["answer"]


@functools.cache
def actions(product):
    """Every action of a product, by name."""
    package = importlib.import_module(PACKAGES[product])
    source = (pathlib.Path(package.__file__).parent / "client.py").read_text()
    found = (Action(product, match) for match in ACTION.finditer(source))
    return {action.name: action for action in found}


def model(product, name):
    """One of a product's model classes."""
    return getattr(importlib.import_module(PACKAGES[product] + ".models"), name)


@functools.cache
def fields(kind):
    """The Python names of a model's fields with their types."""
    hints = typing.get_type_hints(kind.__init__)
    return {name: hint for name, hint in hints.items() if name != "return"}


@functools.cache
def required(kind):
    """Python names that the model's own text calls required."""
    source = inspect.getsource(kind.__init__)
    blocks = re.findall(r"((?:^ +#.*\n)+) +self\.(\w+) = ", source, re.MULTILINE)
    return {name for text, name in blocks if "This parameter is required." in text}


def lost(raw, kept, path=""):
    """Where an answer holds something that its model does not keep."""
    if isinstance(raw, dict) and isinstance(kept, dict):
        for name, value in raw.items():
            at = f"{path}.{name}" if path else name
            if value is None:
                continue
            if name not in kept or kept[name] is None:
                yield at
            else:
                yield from lost(value, kept[name], at)
    elif isinstance(raw, list) and isinstance(kept, list) and len(raw) == len(kept):
        for one, other in zip(raw, kept):
            yield from lost(one, other, path + "[]")
    elif raw != kept:
        yield path


def mistyped(value, hint, path=""):
    """Where a value is not of the type that its model declares."""
    origin = typing.get_origin(hint)
    if value is None or hint is typing.Any:
        return
    if origin in (list, typing.List):
        (inner,) = typing.get_args(hint) or (typing.Any,)
        if not isinstance(value, list):
            yield f"{path} is no list: {value!r}"
            return
        for one in value:
            yield from mistyped(one, inner, path + "[]")
    elif origin in (dict, typing.Dict):
        if not isinstance(value, dict):
            yield f"{path} is no object: {value!r}"
    elif isinstance(hint, type) and issubclass(hint, DaraModel):
        if not isinstance(value, hint):
            yield f"{path} is no {hint.__name__}: {value!r}"
            return
        for name, inner in fields(hint).items():
            yield from mistyped(getattr(value, name), inner, f"{path}.{name}" if path else name)
    elif hint in (str, int, bool, float):
        right = isinstance(value, (int, float) if hint is float else hint)
        if not right or (hint is not bool and isinstance(value, bool)):
            yield f"{path} is {value!r}, declared as {hint.__name__}"


def read(product, action, raw):
    """An answer's body as the official model reads it."""
    answer = actions(product)[action].answer.removesuffix("Response") + "ResponseBody"
    return model(product, answer)().from_map(dict(raw))


@functools.cache
def wire_fields(kind):
    """A model's fields by their names on the wire: Python name and type."""
    source = inspect.getsource(kind.to_map)
    pattern = (r"result\['([^']+)'\] = (?:\[\]|\{\})\s+if self\.(\w+) is not None"
               r"|if self\.(\w+) is not None:\s+result\['([^']+)'\]")
    found = {}
    for list_wire, list_field, field, wire in re.findall(pattern, source):
        name = list_field or field
        found[list_wire or wire] = (name, fields(kind)[name])
    if len(found) != len(fields(kind)):
        raise ValueError(f"not all fields of {kind.__name__} have a name on the wire")
    return found
