"""How many examples a property is tried with."""

from hypothesis import settings

settings.register_profile("short", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile("short")
