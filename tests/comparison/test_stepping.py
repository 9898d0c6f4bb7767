"""Models that go in step; where they stop is in test_precision.py."""

from conftest import FASHION
from onnxspec.comparison.comparing import compare
from onnxspec.listening import Silence


class Hears(Silence):
    """Keeps what was planned, and counts what came."""

    def __init__(self):
        self.plans, self.done = [], 0

    def plan(self, ahead):
        self.plans.append((ahead.of, ahead.at_most, ahead.beside, ahead.images))

    def images(self, count):
        self.done += count


def test_their_plans_add_up_to_what_they_walk(digits):
    heard = Hears()
    models = {"other": FASHION / "sklearn.onnx", "first": FASHION / "twin.onnx", "third": FASHION / "keras.onnx"}
    asked = {"pairs": 30, "points": 17, "cutoff": 5.0, "threads": 1, "precision": 0.001}
    found = compare(models, digits, reference="first", listener=heard, **asked)
    assert set(found.ended.values()) == {"pairs"}
    *said, passes = zip(*heard.plans, strict=True)
    assert said == [("first", "other", "third"), (True, True, True), (False, True, True)]
    assert heard.done == sum(passes)
