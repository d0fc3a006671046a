"""The sandbox's API: from a call to its reply."""
