"""The API of the sandbox: from a call to its reply."""
