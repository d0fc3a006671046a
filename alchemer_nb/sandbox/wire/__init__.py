"""How the sandbox spells things: records, replies, stamps, query parameters."""
