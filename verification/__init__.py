"""The outside checker: reads databases, Kafka and Telegram's acceptance log with roles that cannot write.

It shares no code with what it checks: it knows the public contract (tables, topics, headers) and nothing else.
"""
