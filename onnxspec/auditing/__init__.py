"""A policy and a baseline against a report: the gate that stands in CI.

names        what a rule may look at: accuracy, within.hff, class.cat.slope, ...
policy       the TOML tables [audit.limits] and [audit.regressions] become rules
verdicts     what becomes of a rule, and of all of them
limits       rules about one report
samples      what one path leaves for a later run to pair with
baseline     the small committed file of samples
regressions  rules about a report and a baseline
gate         `audit`: all of it in order
starting     the policy that `--init` writes
accuracies   rules about accuracy; `changes` is how a rule's figure differs from the baseline's
content      what a file of a baseline may hold
text, page, markdown, junit, sarif    what people and machines read
"""
