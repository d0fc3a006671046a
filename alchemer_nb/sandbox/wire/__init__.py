"""The spelling of the API: records, replies, dates, query parameters."""
