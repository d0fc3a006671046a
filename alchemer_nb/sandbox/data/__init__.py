"""The data of the sandbox: accounts, grants, surveys and their responses."""
