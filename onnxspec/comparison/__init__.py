"""Models side by side on the same pairs and points: checkpoints, frameworks, exports.

candidates   what is compared, as a person names it
measuring    models become reports along the same pairs
alignment    reports become members: the same paths, read in the same way
contrasts    two members become factors with intervals
ranking      members in order, with ties
stepping     models that walk round by round until their differences are known well enough
agreement    two models as functions, point by point
comparing    `compare`, the driver
comparison   what comes of it; `storing` and `reading` are its file, `view` its terminal page, `page` its HTML, of which
             `class_table` and `agreement_table` are parts
"""
