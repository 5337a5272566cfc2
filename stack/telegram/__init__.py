"""The Telegram stand-in: speaks the Bot API on loopback and logs what it accepted before it decides how to answer."""
