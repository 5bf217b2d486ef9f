"""
All tests. What holds for each of them, under both runners, is set here.
"""

from hypothesis import HealthCheck, settings

# A busy machine is no fault: neither the time that a case takes is judged nor the time to make it.
settings.register_profile(
    "netlab", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("netlab")
