"""What is not markup is text."""

import json

from onnxspec.report.html.markup import Markup, data_block, joined, tag


def test_text_is_escaped_and_markup_is_not():
    assert tag("p", "<b>", tag("i", "x"), 3, None) == "<p>&lt;b&gt;<i>x</i>3</p>"
    assert joined(["a & b", Markup("<br>")]) == "a &amp; b<br>"


def test_attributes_are_escaped_and_named():
    made = tag("a", href='"><script>', class_="x", data_signal="prob", hidden=True, title=None, open=False)
    assert made == '<a href="&quot;&gt;&lt;script&gt;" class="x" data-signal="prob" hidden></a>'


def test_control_characters_stand_as_escapes():
    assert tag("p", "\x1b[31m\u202e") == "<p>\\x1b[31m\\u202e</p>"


def test_data_cannot_end_its_block():
    block = data_block("x", {"name": "</script><script>alert(1)</script><!--"})
    inner = block[block.index(">") + 1 : -len("</script>")]
    assert "<" not in inner and json.loads(inner)["name"].startswith("</script>")
