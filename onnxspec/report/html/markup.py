"""HTML that is right by construction: whatever is not markup already is text, and text is escaped.

Names come from files: characters that would act, on a page or on a terminal, stand in it as escapes.
"""

import html
import json
from collections.abc import Iterable
from typing import Any

from onnxspec.errors import inert


class Markup(str):
    """Text that is HTML already."""


Child = str | int | float | Markup | None | Iterable["Child"]

_EMPTY = {"img", "input", "meta", "br"}


def tag(name: str, /, *children: Child, **attributes: Any) -> Markup:
    """An element. `class_` is class, `data_x` is data-x; True is an attribute without a value, None is none."""
    opening = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{joined(children)}</{name}>")


def joined(child: Child) -> Markup:
    """Markup as it is, everything else as text, one after the other."""
    if child is None:
        return Markup("")
    if isinstance(child, Markup):
        return child
    if isinstance(child, str | int | float):
        return Markup(html.escape(inert(str(child))))
    return Markup("".join(joined(one) for one in child))


def data_block(identity: str, value: Any) -> Markup:
    """JSON for the page's script: a block that no browser runs and that no text in it can end."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(f'<script type="application/json" id="{identity}">{text}</script>')


def _attribute(key: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    key = key.rstrip("_").replace("_", "-")
    return f" {key}" if value is True else f' {key}="{html.escape(inert(str(value)))}"'
