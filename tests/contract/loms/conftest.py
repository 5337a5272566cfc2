from tests.loms_fixtures import loms_template
from tests.loms_server import grpc_caller, http_caller, pooled_caller, served

__all__ = ["grpc_caller", "http_caller", "loms_template", "pooled_caller", "served"]
