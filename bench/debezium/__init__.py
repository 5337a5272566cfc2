"""Debezium as its documentation has it: Kafka Connect standalone, the Postgres connector, the outbox router."""
