"""What was asked, and what was found to differ."""

import collections
import contextlib
import os
import traceback


class Findings:
    """Collects every difference, so that one run shows them all."""

    def __init__(self):
        self.wrong = []
        self.calls = collections.Counter()
        self.checked = 0

    def called(self, scheme, product, action):
        """Counts one call that an official client made."""
        self.calls[(scheme, product, action)] += 1

    def say(self, text):
        """Notes a difference, once."""
        if text not in self.wrong:
            self.wrong.append(text)

    def check(self, holds, text):
        """Notes a difference unless something holds."""
        self.checked += 1
        if not holds:
            self.say(text)
        return holds

    def equal(self, found, wanted, what):
        """Notes a difference between two values."""
        return self.check(found == wanted, f"{what}: {found!r} instead of {wanted!r}")

    @contextlib.contextmanager
    def section(self, name):
        """Goes on with what comes next when a section breaks."""
        try:
            yield
        except Exception as error:  # whatever a client raises is a finding
            self.say(f"{name} broke: {type(error).__name__}: {error}\n{innermost(error)}")

    def summary(self):
        """Calls by scheme, in one line each."""
        lines = []
        for scheme in sorted({key[0] for key in self.calls}):
            mine = {key: count for key, count in self.calls.items() if key[0] == scheme}
            products = len({key[1] for key in mine})
            actions = len({key[1:] for key in mine})
            total = sum(mine.values())
            lines.append(f"{scheme}: {total} calls of {actions} actions of {products} products")
        return lines


def innermost(error):
    """The lines of this folder that led to an error."""
    here = os.path.dirname(os.path.abspath(__file__))
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if os.path.dirname(os.path.abspath(f.filename)) == here]
    return "\n".join(f"    {os.path.basename(f.filename)}:{f.lineno}: {f.line}" for f in ours[-4:])
