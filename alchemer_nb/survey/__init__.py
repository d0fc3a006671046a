"""What a survey asks: its definition, question types, planned columns, names and conditions.

Read once and never changed; responses are not known here. May import: wire.
"""
