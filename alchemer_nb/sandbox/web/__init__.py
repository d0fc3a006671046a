"""The pages of the sandbox: console, registration, consent."""
