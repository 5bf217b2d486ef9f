"""
The tests of netlab, as packages that mirror it.
"""

from hypothesis import HealthCheck, settings

# How long an example takes, to be made or to run, says how busy the machine is: no verdict may rest
# on it.
settings.register_profile(
    "netlab", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("netlab")
