"""The calls services make: one folder a service and version, the generated code beside each `.proto`."""
