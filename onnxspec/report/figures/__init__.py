"""Figures of reports, drawn by matplotlib: for a paper as files, for the page as inline SVG in the page's colours.

Every function that draws takes reports and gives a `matplotlib.figure.Figure`; `style` says how it looks, `rows` is what
two of them have in common, and `inline` makes it part of a page. matplotlib is imported by these modules and by nothing
else.
"""
