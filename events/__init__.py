"""The public language of the platform: topics, their rules, and the shape of what travels on them."""
