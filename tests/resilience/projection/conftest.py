from tests.loms_fixtures import loms_database, loms_template, platform

__all__ = ["loms_database", "loms_template", "platform"]
