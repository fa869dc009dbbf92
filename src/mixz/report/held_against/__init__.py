"""A run held against the paper: its claims, the rule by which each is judged, and the section of the report."""
