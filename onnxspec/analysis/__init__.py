"""One model and labelled images become a report; the other measurements start from the same subject.

subject      a model and images made to fit each other; `plausibility` looks whether they do
planning     what is frozen before the first row; `reference` is the distance that frequencies are measured by
grounds      what decides the rows of a run; `provenance` is where they come from
evaluating   where the rows of shards come from
families     other families of paths between the same images
checks       is the number about the network? `strips` are paths to look at
conclusion   what becomes of the rows
analyzing    `analyze`, the driver; `forecast` says what it will cost
"""
