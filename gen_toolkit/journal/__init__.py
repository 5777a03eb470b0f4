"""The durable record of every call: the intent before it, the answer after it."""
