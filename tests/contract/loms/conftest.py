from tests.loms_fixtures import loms_template
from tests.loms_server import grpc_caller, http_caller, served

__all__ = ["grpc_caller", "http_caller", "loms_template", "served"]
