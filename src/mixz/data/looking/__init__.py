"""Looking at tables that nobody has described yet: what their columns are, by their names, units and values."""
