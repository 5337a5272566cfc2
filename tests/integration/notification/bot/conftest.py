from tests.notification_fixtures import notification_database, notification_template, stand_in, town

__all__ = ["notification_database", "notification_template", "stand_in", "town"]
