"""Models side by side on the same pairs and points: checkpoints, frameworks, exports.

candidates   what is compared, as a person names it
measuring    models become reports along the same pairs
alignment    reports become members: the same paths, read in the same way
contrasts    two members become factors with intervals
ranking      members in order, with ties
series       checkpoints in the order of training
agreement    two models as functions, point by point
comparing    `compare`, the driver
comparison   what comes of it; `storing` and `view` are its file and its terminal page
"""
