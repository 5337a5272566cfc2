"""The use cases: plan what people are told, deliver it, link people to chats."""
