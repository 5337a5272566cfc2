"""The range of ids of orders, users and skus: a positive 64-bit number."""

ID_MAX = 2**63 - 1
