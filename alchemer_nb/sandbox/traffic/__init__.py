"""How the sandbox treats calls: limits, its cache, ordered faults, the log of calls."""
