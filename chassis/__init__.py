"""What any process stands on: lifecycle, settings, logs, telemetry, health, pools, gRPC; no word of any domain."""
