"""Who calls the catalogue, over gRPC and over HTTP: parse, call, answer."""
