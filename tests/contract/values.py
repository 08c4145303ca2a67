"""Words that the clients' own texts list as a field's valid values."""

import functools
import inspect
import re

from darabonba.model import DaraModel

import models

# Words that the vendor uses, although the text beside the field does not list them: an attachment
# that is being changed, a server group that is being deleted, and a listener that is tagged, which
# the list of tags names.
UNLISTED = {("Status", "Modifying"), ("ServerGroupStatus", "Deleting"),
            ("ResourceType", "listener")}


@functools.cache
def listed(kind):
    """The valid values of a model's fields, by Python name, where its text lists them."""
    source = inspect.getsource(kind.__init__)
    found = {}
    for text, name in re.findall(r"((?:^ +#.*\n)+) +self\.(\w+) = ", source, re.MULTILINE):
        _, said, rest = text.partition("alid values")
        bullets = re.findall(r"#\s+[*-]\s+(?:\*\*|`)?([\w.-]+)", rest)
        marked = re.findall(r"\*\*([\w.-]+)\*\*|`([\w.-]+)`", rest)
        words = set(bullets) | {one or other for one, other in marked}
        # Numbers are the ends of a range, and N counts the members of a list.
        ranged = "N" in words or all(word.isdigit() for word in words)
        if said and name != "next_token" and not ranged:
            found[name] = words
    return found


def unlisted(value, path):
    """Where a model holds a word that is none of the valid ones."""
    if isinstance(value, list):
        for one in value:
            yield from unlisted(one, path)
        return
    if not isinstance(value, DaraModel):
        return
    words = listed(type(value))
    for wire, (name, hint) in models.wire_fields(type(value)).items():
        held = getattr(value, name)
        yield from unlisted(held, f"{path}.{wire}")
        if hint is str and held and name in words and (wire, held) not in UNLISTED:
            if held not in words[name]:
                yield f"{path}.{wire} is {held!r}, which is none of {sorted(words[name])}"
