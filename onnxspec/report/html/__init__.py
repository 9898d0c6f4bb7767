"""A report as one HTML page: no network, no styles or scripts but its own two, nothing from a file but text."""
