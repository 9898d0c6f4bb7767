"""An audit as JUnit XML: a suite per model, a case per rule; every CI server shows it."""

from collections.abc import Sequence
from xml.etree import ElementTree

from onnxspec.auditing.verdicts import Audit, State, Verdict
from onnxspec.errors import inert


def to_junit(audits: Sequence[Audit]) -> str:
    """The audits as one XML document.

    `failure` is a broken rule, `error` one that could not be judged or decided, `skipped` one that could not be
    decided and may stay so (--allow-inconclusive); a broken rule of severity warn is a passed case that says so.
    """
    root = ElementTree.Element("testsuites", name="onnxspec audit")
    for audit in audits:
        suite = ElementTree.SubElement(root, "testsuite", name=inert(audit.model), time=f"{audit.seconds:.3f}")
        cases = [_case(suite, verdict, audit) for verdict in audit.verdicts]
        suite.set("tests", str(len(cases)))
        for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            suite.set(name, str(sum(case.find(kind) is not None for case in cases)))
        if audit.remarks:
            out = ElementTree.SubElement(suite, "system-out")
            out.text = "\n".join(inert(f"warning: {remark}") for remark in audit.remarks)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, verdict: Verdict, audit: Audit) -> ElementTree.Element:
    case = ElementTree.SubElement(
        suite, "testcase", classname=f"onnxspec.audit.{verdict.kind}", name=inert(verdict.rule), time="0"
    )
    text = inert(verdict.text)
    if verdict.gating and audit.breaks(verdict.state):
        tag = "failure" if verdict.state is State.FAIL else "error"
        ElementTree.SubElement(case, tag, type=str(verdict.state), message=text).text = inert(verdict.rule)
    elif verdict.state is State.INCONCLUSIVE:
        ElementTree.SubElement(case, "skipped", message=f"inconclusive: {text}")
    else:
        ElementTree.SubElement(case, "system-out").text = f"{verdict.state}: {text}"
    return case
