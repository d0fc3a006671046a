"""The sandbox's side of OAuth 1.0a: provider, checks, authentication of a call."""
