"""What an op is, what ran, and who reads it: ops, nodes, levels, recordings and `bind`."""
