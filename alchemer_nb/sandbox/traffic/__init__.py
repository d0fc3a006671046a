"""The treatment of calls: limits, the cache, faults, the log of calls."""
