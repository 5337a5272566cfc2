"""Who calls LOMS: gRPC, and HTTP through Envoy in front of it. Parse, call, answer."""
