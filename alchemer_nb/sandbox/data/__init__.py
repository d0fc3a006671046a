"""What the sandbox holds: accounts, grants, surveys and their responses."""
