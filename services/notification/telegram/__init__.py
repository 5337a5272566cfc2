"""Telegram as a channel: the Bot API's answers read as outcomes, and the process that sends."""
